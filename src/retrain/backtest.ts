import { isoOrNull } from '../core/iso-times.ts'
import type { EpisodeKind, LookBack, Scorer } from '../core/ports.ts'
import { idOf, type RecordBatch } from '../core/record.ts'
import { ANOMALY, type ScoredBatch, UNSCORED, VERDICTS, type Verdict } from '../core/scored.ts'
import { plantFaults } from '../detect/canaries.ts'
import { EntityWatch, type EntityWatchOptions } from '../detect/entities/entity-watch.ts'
import type { Habits } from '../detect/entities/habits.ts'

/** Nominal rates at which the realised share of flagged records is reported. */
const RATES = [0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0001] as const
const CANARY_SHARE = 0.05
const WATCH_RATE = 1e-6
const DAY_MS = 86_400_000

export interface BacktestModel {
  readonly name: string
  readonly scorer: Scorer
  /** What entities are watched by; absent where the model knows none. */
  readonly habits?: Habits | undefined
}
export interface BacktestedModel {
  readonly model: string
  readonly records: number
  readonly alarms: number
  /** null where the records have no times, or all the same. */
  readonly alarms_per_day: number | null
  /** Of the alarms, those that a rule suppresses, and what is left a day. */
  readonly suppressed: number
  readonly told_per_day: number | null
  /** How often an entity was silent, stuck or too regular; absent where the model has no habits. */
  readonly entities?: Readonly<Record<EpisodeKind, number>>
  readonly unscored: number
  readonly nominal_rate: number
  /** Alarms among the scored records. */
  readonly realised_rate: number
  /** Planted faults that were flagged or refused; null where none could be planted. */
  readonly canaries_found: number | null
  readonly canaries: number
  /** What share of the scored records has p ≤ rate. */
  readonly calibration: readonly { readonly nominal: number; readonly realised: number }[]
}
/** A record about which the two models say different things. */
export interface Disagreement {
  readonly id: string
  readonly event_time: string | null
  readonly verdict: Verdict
  readonly verdict_against: Verdict
  readonly p_value: number | null
  readonly p_value_against: number | null
}
export interface BacktestReport {
  readonly models: readonly BacktestedModel[]
  readonly from: string | null
  readonly to: string | null
  /** With two models. */
  readonly difference?: {
    readonly both: number
    readonly only_model: number
    readonly only_against: number
    readonly records: readonly Disagreement[]
  }
}
export interface BacktestOptions {
  readonly seed: number
  /** Disagreements listed; all are counted. */
  readonly limit: number
  /** Attributes alarms to their fields, for suppression rules that go by them. Default false. */
  readonly explain?: boolean
  readonly watch?: EntityWatchOptions
  readonly signal: AbortSignal
}

/** Runs past records through one model or two, as they are and with planted faults; nothing is written anywhere. */
export async function backtest(
  batches: AsyncIterable<RecordBatch>,
  models: readonly BacktestModel[],
  { seed, limit, explain = false, watch = { rate: WATCH_RATE }, signal }: BacktestOptions,
): Promise<BacktestReport> {
  const tallies = models.map((model) => new ModelTally(model, explain, watch))
  const disagreements: Disagreement[] = []
  const alarms = { both: 0, only_model: 0, only_against: 0 }
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  let at = 0
  for await (const batch of batches) {
    signal.throwIfAborted()
    for (const time of batch.eventTime ?? []) {
      if (time < from) from = time
      if (time > to) to = time
    }
    const faulty = plantFaults(batch, { seed: seed + at++, share: CANARY_SHARE })
    const scored = await Promise.all(tallies.map((tally) => tally.add(batch, faulty)))
    if (scored.length < 2) continue
    const [one, other] = scored
    for (let row = 0; row < batch.rows; row++) {
      const [mine, theirs] = [one.verdict[row] === ANOMALY, other.verdict[row] === ANOMALY]
      if (mine && theirs) alarms.both++
      else if (mine) alarms.only_model++
      else if (theirs) alarms.only_against++
      if (mine !== theirs && disagreements.length < limit) disagreements.push(disagreement(one, other, row))
    }
  }
  const span = to > from ? to - from : null
  return {
    models: tallies.map((tally) => tally.result(span)),
    from: isoOrNull(from),
    to: isoOrNull(to),
    ...(models.length > 1 && { difference: { ...alarms, records: disagreements } }),
  }
}

class ModelTally {
  private records = 0
  private alarms = 0
  private unscored = 0
  private canaries = 0
  private found = 0
  private suppressed = 0
  private readonly strange = { silent: 0, stuck: 0, regular: 0 }
  private readonly lookBack: LookBack | undefined
  private readonly entities: EntityWatch | undefined
  private readonly below = RATES.map(() => 0)
  private readonly name: string
  private readonly scorer: Scorer
  private readonly explain: boolean

  constructor({ name, scorer, habits }: BacktestModel, explain: boolean, watch: EntityWatchOptions) {
    this.name = name
    this.scorer = scorer
    this.explain = explain
    this.lookBack = scorer.lookBack?.()
    this.entities = habits && new EntityWatch(habits, watch)
  }

  async add(batch: RecordBatch, faulty: ReturnType<typeof plantFaults>): Promise<ScoredBatch> {
    const options = { pipeline: 'backtest', explain: false, runId: 'backtest' }
    const looked = this.lookBack?.append(batch) ?? batch
    const scored = { ...(await this.scorer.score(looked, { ...options, explain: this.explain })), batch }
    for (let row = 0; row < batch.rows; row++) {
      this.records++
      if (scored.verdict[row] === UNSCORED) this.unscored++
      if (scored.verdict[row] === ANOMALY) this.alarms++
      RATES.forEach((rate, i) => {
        if (scored.pValue[row] <= rate) this.below[i]++
      })
    }
    this.suppressed += scored.suppressed?.size ?? 0
    for (const { kind, state } of this.entities?.observe(scored) ?? [])
      if (state === 'firing') this.strange[kind]++
    if (faulty.faults.length > 0) {
      const { verdict } = await this.scorer.score(
        this.lookBack?.vary(looked, faulty.batch) ?? faulty.batch,
        options,
      )
      this.canaries += faulty.faults.length
      this.found += faulty.faults.filter(({ row }) => verdict[row] !== 0).length
    }
    return scored
  }

  result(span: number | null): BacktestedModel {
    const counted = Math.max(1, this.records - this.unscored)
    const perDay = (alarms: number) => (span === null ? null : alarms / (span / DAY_MS))
    return {
      model: this.name,
      records: this.records,
      alarms: this.alarms,
      alarms_per_day: perDay(this.alarms),
      suppressed: this.suppressed,
      told_per_day: perDay(this.alarms - this.suppressed),
      ...(this.entities && { entities: this.strange }),
      unscored: this.unscored,
      nominal_rate: this.scorer.rate,
      realised_rate: this.alarms / counted,
      canaries_found: this.canaries === 0 ? null : this.found / this.canaries,
      canaries: this.canaries,
      calibration: RATES.map((nominal, i) => ({ nominal, realised: this.below[i] / counted })),
    }
  }
}

function disagreement(one: ScoredBatch, other: ScoredBatch, row: number): Disagreement {
  const p = ({ pValue }: ScoredBatch): number | null => (Number.isNaN(pValue[row]) ? null : pValue[row])
  return {
    id: idOf(one.batch.origin, row),
    event_time: isoOrNull(one.batch.eventTime?.[row]),
    verdict: VERDICTS[one.verdict[row]],
    verdict_against: VERDICTS[other.verdict[row]],
    p_value: p(one),
    p_value_against: p(other),
  }
}
