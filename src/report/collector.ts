import { ANOMALY, type ScoredBatch, UNSCORED } from '../core/scored.ts'
import type { EntityAlarm } from '../detect/entities/entity-watch.ts'
import { type Counted, Counts, Leaders, type ReportedRecord } from './tallies.ts'
import { type TimeBucket, Timeline } from './timeline.ts'

/** What the report shows, gathered in bounded memory. */
export interface ReportData {
  readonly records: number
  readonly anomalies: number
  /** Of the anomalies, those that a rule suppresses. */
  readonly suppressed: number
  readonly unscored: number
  /** The nominal rate: a record is flagged at −log10 of it. */
  readonly threshold: number
  /** Records per bin of `binWidth`, from score 0. */
  readonly histogram: readonly number[]
  readonly binWidth: number
  readonly timeline: readonly TimeBucket[]
  /** Buckets are in epoch milliseconds, else in records from the first one. */
  readonly timed: boolean
  /** Most surprising first, without the suppressed ones. */
  readonly top: readonly ReportedRecord[]
  readonly topSuppressed: readonly ReportedRecord[]
  /** Anomalies by the rule that suppresses them. */
  readonly rules: readonly Counted[]
  /** How often entities were silent, stuck or too regular, by kind, and the first times. */
  readonly strange: readonly Counted[]
  readonly alarms: readonly EntityAlarm[]
  /** Unscored records by the reason. */
  readonly reasons: readonly Counted[]
}

const BIN_WIDTH = 0.1
const MAX_BINS = 400
const MAX_ALARMS = 100

/** Gathers from scored batches what the report shows. */
export class ReportCollector {
  readonly #histogram: number[] = []
  readonly #byTime = new Timeline()
  readonly #byOrder = new Timeline()
  readonly #reasons = new Counts()
  readonly #rules = new Counts()
  readonly #strange = new Counts()
  readonly #alarms: EntityAlarm[] = []
  readonly #top: Leaders
  readonly #topSuppressed: Leaders
  #records = 0
  #anomalies = 0
  #unscored = 0
  #timed = 0
  #threshold = Number.NaN

  /** Values of the fields named are not gathered. */
  constructor(redact: readonly string[] = []) {
    this.#top = new Leaders(redact)
    this.#topSuppressed = new Leaders(redact)
  }

  add(scored: ScoredBatch): void {
    const { batch, score, verdict, suppressed } = scored
    this.#threshold = scored.threshold
    for (let row = 0; row < batch.rows; row++) {
      const position = this.#records++
      if (verdict[row] === UNSCORED) {
        this.#unscored++
        for (const reason of scored.reasons.get(row) ?? []) this.#reasons.add(reason)
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
      const rule = suppressed?.get(row)
      if (rule !== undefined) this.#rules.add(rule)
      const leaders = rule === undefined ? this.#top : this.#topSuppressed
      leaders.add(scored, row)
    }
  }

  /** Takes what begins; that it ends again is not shown. */
  alarm(alarm: EntityAlarm): void {
    if (alarm.state !== 'firing') return
    this.#strange.add(alarm.kind)
    if (this.#alarms.length < MAX_ALARMS) this.#alarms.push(alarm)
  }

  data(): ReportData {
    const timed = this.#timed > 0
    return {
      records: this.#records,
      anomalies: this.#anomalies,
      suppressed: this.#rules.sum,
      unscored: this.#unscored,
      threshold: this.#threshold,
      histogram: Array.from(this.#histogram, (count) => count ?? 0),
      binWidth: BIN_WIDTH,
      timeline: (timed ? this.#byTime : this.#byOrder).buckets(),
      timed,
      top: this.#top.records,
      topSuppressed: this.#topSuppressed.records,
      rules: this.#rules.most,
      strange: this.#strange.most,
      alarms: this.#alarms,
      reasons: this.#reasons.most,
    }
  }
}
