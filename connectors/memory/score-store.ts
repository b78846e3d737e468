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
import { scoredRecord } from '../../src/core/scored-record.ts'
import { intake, KEEP_ALL, type KeepPolicy, timeOf } from '../../src/core/scores/intake.ts'
import type { OffsetRange } from '../../src/core/scores/offset-ranges.ts'
import {
  checkDistributionQuery,
  checkScoreQuery,
  checkSeriesQuery,
  encodeCursor,
  rollupWidth,
  type ScorePosition,
  splitId,
  UNSCORED_KEY,
} from '../../src/core/scores/query.ts'
import {
  distributionOf,
  MINUTE,
  type Observation,
  observationsOf,
  type Rollup,
  rollUp,
  seriesOf,
} from '../../src/core/scores/rollup.ts'

const NOTICES_KEPT = 500

interface StoredRow extends Omit<ScorePosition, 'key'> {
  readonly time: number
  readonly record: ScoredRecord
}

/** The reference: what every score store means, without durability. */
export class MemoryScoreStore implements ScoreStore, LabelStore, NoticeStore {
  readonly name = 'memory'
  private readonly keep: KeepPolicy
  private rows: StoredRow[] = []
  private readonly said = new Map<string, LabelledRecord>()
  private readonly noticed = {
    episodes: new Map<string, Heard<Episode>>(),
    looks: new Map<string, DriftReport[]>(),
    statuses: new Map<string, Heard<PipelineStatus>>(),
  }
  private readonly rollups = new Map<string, Rollup[]>()
  private readonly ranges = new Map<string, readonly OffsetRange[]>()

  constructor(keep: KeepPolicy = KEEP_ALL) {
    this.keep = keep
  }

  async open(): Promise<void> {}

  async append(scored: ScoredBatch): Promise<void> {
    const { origin } = scored.batch
    const key = JSON.stringify([scored.pipeline, scored.runId, origin.prefix])
    const { fresh, kept, ranges } = intake(scored, this.ranges.get(key) ?? [], this.keep)
    this.ranges.set(key, ranges)
    for (const row of kept) {
      const record = scoredRecord(scored, row)
      this.rows.push({
        time: timeOf(scored, row),
        prefix: origin.prefix,
        offset: record.source.offset,
        record,
      })
    }
    if (scored.runId !== undefined) return
    const rollups = this.rollups.get(scored.pipeline) ?? []
    rollups.push(...rollUp(observationsOf(scored, fresh), MINUTE))
    this.rollups.set(scored.pipeline, rollups)
  }

  async query(query: ScoreQuery): Promise<Page<ScoredRecord>> {
    const order = query.order ?? 'time'
    const after = checkScoreQuery(query)
    const id = query.id === undefined ? undefined : splitId(query.id)
    if (query.id !== undefined && id === undefined) return { items: [], cursor: null }
    const positionOf = (row: StoredRow): ScorePosition => ({
      ...row,
      key: order === 'time' ? row.time : (row.record.score ?? UNSCORED_KEY),
    })
    const found = this.rows
      .filter((row) => matches(row, query) && (!after || descending(after, positionOf(row)) < 0))
      .sort((a, b) => descending(positionOf(a), positionOf(b)))
    const page = found.slice(0, query.limit)
    return {
      items: page.map((row) => row.record),
      cursor: found.length > page.length ? encodeCursor(positionOf(page[page.length - 1]), order) : null,
    }
  }

  async series(query: SeriesQuery): Promise<readonly SeriesPoint[]> {
    const range = checkSeriesQuery(query, this.keep)
    const within = {
      pipeline: query.pipeline,
      entity: query.entity,
      from: range.from,
      to: range.to,
      limit: 1,
    }
    const rollups =
      rollupWidth(query) === undefined
        ? rollUp(this.rows.filter((row) => matches(row, within)).map(observationOf), range.step)
        : (this.rollups.get(query.pipeline) ?? [])
    return seriesOf(
      rollups.filter(({ start }) => start >= range.from && start < range.to),
      range,
    )
  }

  async distribution(query: DistributionQuery): Promise<readonly ScoreBin[]> {
    const range = checkDistributionQuery(query)
    const rollups = this.rollups.get(query.pipeline) ?? []
    return distributionOf(rollups.filter(({ start }) => start >= range.from && start < range.to))
  }

  async pipelines(): Promise<readonly string[]> {
    return [...this.rollups.keys()].sort()
  }

  async retain(pipeline: string, before: number): Promise<number> {
    const rows = this.rows.filter((row) => row.record.pipeline !== pipeline || row.time >= before)
    const dropped = this.rows.length - rows.length
    this.rows = rows
    return dropped
  }

  async put(label: LabelledRecord): Promise<void> {
    this.said.set(JSON.stringify([label.pipeline, label.id]), label)
  }

  async labels(pipeline: string): Promise<readonly LabelledRecord[]> {
    return [...this.said.values()].filter((label) => label.pipeline === pipeline)
  }

  async putEpisode(episode: Episode): Promise<void> {
    const { episodes } = this.noticed
    episodes.set(JSON.stringify([episode.pipeline, episode.id]), { notice: episode, heardAt: Date.now() })
    const oldest = (await this.episodes(episode.pipeline, Number.POSITIVE_INFINITY)).slice(NOTICES_KEPT)
    for (const { notice } of oldest) episodes.delete(JSON.stringify([notice.pipeline, notice.id]))
  }

  async putDrift(pipeline: string, look: DriftReport): Promise<void> {
    const others = (this.noticed.looks.get(pipeline) ?? []).filter(
      ({ from, to }) => from !== look.from || to !== look.to,
    )
    const looks = [look, ...others].sort((a, b) => Date.parse(b.to) - Date.parse(a.to))
    this.noticed.looks.set(pipeline, looks.slice(0, NOTICES_KEPT))
  }

  async putStatus(process: string, status: PipelineStatus): Promise<void> {
    this.noticed.statuses.set(JSON.stringify([status.name, process]), { notice: status, heardAt: Date.now() })
  }

  async episodes(pipeline: string, limit: number): Promise<readonly Heard<Episode>[]> {
    return [...this.noticed.episodes.values()]
      .filter(({ notice }) => notice.pipeline === pipeline)
      .sort((a, b) => Date.parse(b.notice.started_at) - Date.parse(a.notice.started_at))
      .slice(0, limit)
  }

  async drift(pipeline: string, limit: number): Promise<readonly DriftReport[]> {
    return (this.noticed.looks.get(pipeline) ?? []).slice(0, limit)
  }

  async statuses(): Promise<readonly Heard<PipelineStatus>[]> {
    return [...this.noticed.statuses.values()]
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function matches({ time, record }: StoredRow, query: ScoreQuery): boolean {
  return (
    record.pipeline === query.pipeline &&
    (record.run_id ?? null) === (query.runId ?? null) &&
    time >= (query.from ?? Number.NEGATIVE_INFINITY) &&
    time < (query.to ?? Number.POSITIVE_INFINITY) &&
    (query.id === undefined || record.id === query.id) &&
    (query.entity === undefined || record.entity === query.entity) &&
    (query.verdicts === undefined || query.verdicts.includes(record.verdict)) &&
    (query.suppressed === undefined || query.suppressed === (record.suppressed !== null)) &&
    (query.severities === undefined ||
      (record.severity !== null && query.severities.includes(record.severity)))
  )
}

function observationOf({ time, record }: StoredRow): Observation {
  return { time, score: record.score, anomaly: record.is_anomaly }
}

/** Below zero where a comes before b, walking downwards. */
function descending(a: ScorePosition, b: ScorePosition): number {
  if (a.key !== b.key) return b.key - a.key
  if (a.prefix !== b.prefix) return a.prefix < b.prefix ? 1 : -1
  return b.offset - a.offset
}
