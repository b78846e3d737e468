import { rowOf } from '../core/record.ts'
import { ANOMALY, type ScoredBatch, type ScoredRecord, UNSCORED } from '../core/scored.ts'
import { scoredRecord } from '../core/scored-record.ts'
import { type TimeBucket, Timeline } from './timeline.ts'

export interface ReportedRecord {
  readonly record: ScoredRecord
  readonly fields: Readonly<Record<string, unknown>>
}
/** What the report shows, gathered in bounded memory. */
export interface ReportData {
  readonly records: number
  readonly anomalies: number
  readonly unscored: number
  /** The nominal rate: a record is flagged at −log10 of it. */
  readonly threshold: number
  /** Records per bin of `binWidth`, from score 0. */
  readonly histogram: readonly number[]
  readonly binWidth: number
  readonly timeline: readonly TimeBucket[]
  /** Buckets are in epoch milliseconds, else in records from the first one. */
  readonly timed: boolean
  /** Most surprising first. */
  readonly top: readonly ReportedRecord[]
  /** Why records are unscored, most frequent first. */
  readonly reasons: readonly { readonly reason: string; readonly records: number }[]
}

const BIN_WIDTH = 0.1
const MAX_BINS = 400
const TOP = 50
const MAX_REASONS = 1000

/** Gathers from scored batches what the report shows. */
export class ReportCollector {
  readonly #histogram: number[] = []
  readonly #byTime = new Timeline()
  readonly #byOrder = new Timeline()
  readonly #reasons = new Map<string, number>()
  #top: ReportedRecord[] = []
  #records = 0
  #anomalies = 0
  #unscored = 0
  #timed = 0
  #threshold = Number.NaN
  readonly #redact: readonly string[]

  /** Values of the fields named are not gathered. */
  constructor(redact: readonly string[] = []) {
    this.#redact = redact
  }

  add(scored: ScoredBatch): void {
    const { batch, score, verdict } = scored
    this.#threshold = scored.threshold
    for (let row = 0; row < batch.rows; row++) {
      const position = this.#records++
      if (verdict[row] === UNSCORED) {
        this.#unscored++
        for (const reason of scored.reasons.get(row) ?? []) this.#countReason(reason)
        continue
      }
      const anomaly = verdict[row] === ANOMALY
      if (anomaly) this.#anomalies++
      const value = Math.max(0, score[row])
      const bin = Math.min(MAX_BINS - 1, Math.floor(value / BIN_WIDTH))
      this.#histogram[bin] = (this.#histogram[bin] ?? 0) + 1
      const time = batch.eventTime?.[row] ?? Number.NaN
      if (Number.isFinite(time)) this.#timed++
      this.#byTime.add(time, value, anomaly)
      this.#byOrder.add(position, value, anomaly)
      if (this.#top.length < TOP || value > (this.#top[TOP - 1].record.score ?? 0)) this.#keep(scored, row)
    }
  }

  data(): ReportData {
    const timed = this.#timed > 0
    return {
      records: this.#records,
      anomalies: this.#anomalies,
      unscored: this.#unscored,
      threshold: this.#threshold,
      histogram: Array.from(this.#histogram, (count) => count ?? 0),
      binWidth: BIN_WIDTH,
      timeline: (timed ? this.#byTime : this.#byOrder).buckets(),
      timed,
      top: this.#top,
      reasons: [...this.#reasons]
        .map(([reason, records]) => ({ reason, records }))
        .sort((a, b) => b.records - a.records)
        .slice(0, 20),
    }
  }

  #keep(scored: ScoredBatch, row: number): void {
    const fields = rowOf(scored.batch, row)
    for (const name of this.#redact) if (name in fields) fields[name] = '(redacted)'
    this.#top.push({ record: scoredRecord(scored, row), fields })
    this.#top = this.#top.sort((a, b) => (b.record.score ?? 0) - (a.record.score ?? 0)).slice(0, TOP)
  }

  #countReason(reason: string): void {
    if (this.#reasons.size < MAX_REASONS || this.#reasons.has(reason))
      this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1)
  }
}
