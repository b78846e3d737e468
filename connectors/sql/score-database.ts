import type {
  DistributionQuery,
  DriftReport,
  Episode,
  Heard,
  LabelledRecord,
  LabelStore,
  NoticeStore,
  Page,
  PipelineStatus,
  ScoreBin,
  ScoreQuery,
  ScoreStore,
  SeriesPoint,
  SeriesQuery,
} from '../../src/core/ports.ts'
import type { ScoredBatch, ScoredRecord } from '../../src/core/scored.ts'
import type { KeepPolicy } from '../../src/core/scores/intake.ts'
import {
  checkDistributionQuery,
  checkScoreQuery,
  checkSeriesQuery,
  rollupWidth,
} from '../../src/core/scores/query.ts'
import { distributionOf, everyBucket, seriesOf } from '../../src/core/scores/rollup.ts'
import { LABELS, type LabelRow, labelOfRow, labelValues, PUT_LABEL } from './labels.ts'
import {
  driftValues,
  episodeValues,
  FORGET_NOTICES,
  heardOf,
  NOTICES,
  NOTICES_BETWEEN_SWEEPS,
  type NoticeRow,
  PUT_NOTICE,
  STATUSES,
  statusValues,
} from './notices.ts'
import type { SqlDialect, SqlValue } from './score-conditions.ts'
import { type Ask, readPoints, readRollups, readScores } from './score-reads.ts'

/** What all databases of scores answer alike, given a way to ask and a way to change them. */
export abstract class ScoreDatabase implements ScoreStore, LabelStore, NoticeStore {
  abstract readonly name: string
  protected abstract readonly dialect: SqlDialect
  protected abstract readonly keep: KeepPolicy
  private readonly asking: Ask = (sql, values) => this.ask(sql, values)
  private noticed = 0

  abstract open(): Promise<void>
  abstract append(scored: ScoredBatch): Promise<void>
  abstract retain(pipeline: string, before: number): Promise<number>
  abstract [Symbol.asyncDispose](): Promise<void>
  protected abstract ask<Row>(sql: string, values: readonly SqlValue[]): Promise<readonly Row[]>
  protected abstract change(sql: string, values: readonly SqlValue[]): Promise<void>

  async query(query: ScoreQuery): Promise<Page<ScoredRecord>> {
    const after = checkScoreQuery(query)
    return readScores(this.asking, this.dialect, query, after)
  }

  async series(query: SeriesQuery): Promise<readonly SeriesPoint[]> {
    const range = checkSeriesQuery(query, this.keep)
    const width = rollupWidth(query)
    if (width === undefined)
      return everyBucket(await readPoints(this.asking, this.dialect, query, range), range)
    return seriesOf(await readRollups(this.asking, query.pipeline, width, range), range)
  }

  async distribution(query: DistributionQuery): Promise<readonly ScoreBin[]> {
    const range = checkDistributionQuery(query)
    return distributionOf(await readRollups(this.asking, query.pipeline, range.step, range))
  }

  async pipelines(): Promise<readonly string[]> {
    const sql = 'SELECT DISTINCT pipeline FROM stored_offsets ORDER BY 1'
    const rows = await this.ask<{ readonly pipeline: string }>(sql, [])
    return rows.map(({ pipeline }) => pipeline)
  }

  put(label: LabelledRecord): Promise<void> {
    return this.change(PUT_LABEL, labelValues(label))
  }

  async labels(pipeline: string): Promise<readonly LabelledRecord[]> {
    return (await this.ask<LabelRow>(LABELS, [pipeline])).map(labelOfRow)
  }

  putEpisode(episode: Episode): Promise<void> {
    return this.notice(episodeValues(episode, Date.now()))
  }

  putDrift(pipeline: string, look: DriftReport): Promise<void> {
    return this.notice(driftValues(pipeline, look, Date.now()))
  }

  putStatus(process: string, status: PipelineStatus): Promise<void> {
    return this.notice(statusValues(process, status, Date.now()))
  }

  async episodes(pipeline: string, limit: number): Promise<readonly Heard<Episode>[]> {
    return (await this.ask<NoticeRow>(NOTICES, [pipeline, 'episode', limit])).map(heardOf<Episode>)
  }

  async drift(pipeline: string, limit: number): Promise<readonly DriftReport[]> {
    const rows = await this.ask<NoticeRow>(NOTICES, [pipeline, 'drift', limit])
    return rows.map((row) => heardOf<DriftReport>(row).notice)
  }

  async statuses(): Promise<readonly Heard<PipelineStatus>[]> {
    return (await this.ask<NoticeRow>(STATUSES, [])).map(heardOf<PipelineStatus>)
  }

  private async notice(values: readonly SqlValue[]): Promise<void> {
    await this.change(PUT_NOTICE, values)
    if (++this.noticed % NOTICES_BETWEEN_SWEEPS === 0) await this.change(FORGET_NOTICES, values.slice(0, 2))
  }
}
