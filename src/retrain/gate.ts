import { random } from '../core/random.ts'
import { blockBootstrap, mean, winsorize } from './block-bootstrap.ts'

/** What one model did with the gate window: recent records that no fit, stop or calibration saw. */
export interface Evaluation {
  readonly version: number | null
  /** The manifest's base measure: log-densities compare only where it is the same. */
  readonly measure: string
  /** [records], nats in raw units, in stream order; NaN where unscored. */
  readonly logProb: Float64Array
  /** Shares of the window's records. */
  readonly alarmRate: number
  readonly unscoredRate: number
  /** −log10 p of the window's records, Infinity where unscored: what is refused is noticed. */
  readonly scores: Float64Array
  /** The same of planted canaries; every model gets the same ones. */
  readonly canaries: Float64Array
  readonly recordsPerSecond: number
}

export interface GateOptions {
  /** Nominal false alarms per record. */
  readonly rate: number
  /** Share of the window that is said to be anomalous: these alarms are none too many. */
  readonly anomalous: number
  /** Nats by which a challenger may be worse and still pass. */
  readonly nllTolerance: number
  /** Greatest realised ÷ nominal alarm rate, beyond what chance explains. */
  readonly maxAlarmRatio: number
  /** Share of canaries that may be lost against the champion. */
  readonly canaryTolerance: number
  /** A challenger may cost this many times the champion's time per record. */
  readonly maxCostRatio: number
  readonly seed: number
}
export const GATE: Omit<GateOptions, 'rate'> = {
  anomalous: 0,
  nllTolerance: 0.05,
  maxAlarmRatio: 2,
  canaryTolerance: 0.05,
  maxCostRatio: 4,
  seed: 1,
}

export interface Check {
  readonly name: 'density' | 'alarm rate' | 'canaries' | 'cost' | 'unscored'
  readonly passed: boolean
  readonly detail: string
}
export interface GateDecision {
  readonly promote: boolean
  readonly reason: string
  readonly checks: readonly Check[]
  /** Mean NLL of champion − challenger, nats, with its 95 % interval; null where the measures differ or there is no champion. */
  readonly improvement: { readonly mean: number; readonly low: number; readonly high: number } | null
  /** Winsorised mean of the challenger's −log p on the gate window, nats; null where it scored nothing. */
  readonly nll: number | null
}

/**
 * Promotes a challenger that is nowhere worse than chance explains; says for each check what it saw. `incomparable`: why
 * there is a champion and nothing to compare with.
 */
export function judge(
  challenger: Evaluation,
  champion: Evaluation | undefined,
  options: GateOptions,
  incomparable?: string,
): GateDecision {
  const checks: Check[] = [alarms(challenger, options), unscored(challenger, champion)]
  let improvement: GateDecision['improvement'] = null
  if (champion !== undefined) {
    if (champion.measure === challenger.measure) {
      improvement = nllImprovement(champion.logProb, challenger.logProb, options.seed)
      checks.push(density(improvement, options))
    } else {
      const detail =
        'log-densities are not compared: the champion measures other columns, or the same otherwise'
      checks.push({ name: 'density', passed: true, detail })
    }
    checks.push(canaries(challenger, champion, options), cost(challenger, champion, options))
  }
  const failed = checks.filter((check) => !check.passed)
  const verdict =
    failed.length > 0
      ? `rejected: ${failed.map((check) => check.detail).join('; ')}`
      : `promoted: ${checks.map((check) => check.detail).join('; ')}`
  const reason = incomparable === undefined ? verdict : `${verdict}; ${incomparable}`
  return {
    promote: failed.length === 0,
    reason,
    checks,
    improvement,
    nll: meanNll(challenger.logProb),
  }
}

function meanNll(logProb: Float64Array): number | null {
  const scored = logProb.filter((value) => Number.isFinite(value))
  return scored.length === 0 ? null : -mean(winsorize(scored))
}

/** Paired differences on the records that both scored: winsorised mean and a moving-block bootstrap interval. */
function nllImprovement(
  champion: Float64Array,
  challenger: Float64Array,
  seed: number,
): GateDecision['improvement'] {
  const differences: number[] = []
  for (let i = 0; i < champion.length; i++) {
    const difference = challenger[i] - champion[i]
    if (Number.isFinite(difference)) differences.push(difference)
  }
  if (differences.length < 2) return null
  const values = winsorize(Float64Array.from(differences))
  return { mean: mean(values), ...blockBootstrap(values, mean, random(seed)) }
}

function density(improvement: GateDecision['improvement'], { nllTolerance }: GateOptions): Check {
  if (improvement === null) {
    return {
      name: 'density',
      passed: false,
      detail: 'no record of the gate window was scored by both models',
    }
  }
  const { mean, low, high } = improvement
  const passed = mean >= -nllTolerance || high >= 0
  const interval = `${nats(low)} to ${nats(high)}`
  return {
    name: 'density',
    passed,
    detail: `log-density ${mean >= 0 ? 'better' : 'worse'} by ${Math.abs(mean).toFixed(3)} nats a record (95 %: ${interval})`,
  }
}

/** Three standard deviations of a binomial at the allowed rate are chance. */
function alarms({ alarmRate, logProb }: Evaluation, { rate, anomalous, maxAlarmRatio }: GateOptions): Check {
  const allowed = rate * maxAlarmRatio + anomalous
  const limit = allowed + 3 * Math.sqrt((allowed * (1 - allowed)) / Math.max(1, logProb.length))
  const detail = `flags ${percent(alarmRate)} of the gate window, nominal ${percent(rate)}, limit ${percent(limit)}`
  return { name: 'alarm rate', passed: alarmRate <= limit, detail }
}

function unscored(challenger: Evaluation, champion: Evaluation | undefined): Check {
  const limit = (champion?.unscoredRate ?? 0) + 0.01
  const detail = `leaves ${percent(challenger.unscoredRate)} unscored, limit ${percent(limit)}`
  return { name: 'unscored', passed: challenger.unscoredRate <= limit, detail }
}

/**
 * Both models may flag as many records of the window as the one that flags more, or the one that cries wolf would find
 * the most. Fails when worse by more than the tolerance and by more than chance: 1.96 standard errors of the paired
 * difference (McNemar 1947).
 */
function canaries(challenger: Evaluation, champion: Evaluation, { canaryTolerance }: GateOptions): Check {
  const n = challenger.canaries.length
  const alarms = Math.max(alarmsOf(challenger), alarmsOf(champion), 1)
  const [mine, theirs] = [challenger, champion].map((model) => {
    const limit = model.scores.slice().sort().at(-alarms) ?? Number.NEGATIVE_INFINITY
    return Array.from(model.canaries, (score) => (score >= limit ? 1 : 0))
  })
  const [found, before] = [mine, theirs].map((flags) => flags.reduce<number>((sum, flag) => sum + flag, 0))
  const differing = mine.filter((flag, i) => flag !== theirs[i]).length
  const difference = (found - before) / Math.max(1, n)
  const error = Math.sqrt(Math.max(0, differing - n * difference ** 2)) / Math.max(1, n)
  const passed = difference >= -canaryTolerance || difference + 1.96 * error >= 0
  const detail = `finds ${found} of ${n} planted canaries with ${alarms} alarms, the champion ${before}`
  return { name: 'canaries', passed, detail }
}

const alarmsOf = ({ alarmRate, scores }: Evaluation): number => Math.round(alarmRate * scores.length)

function cost(challenger: Evaluation, champion: Evaluation, { maxCostRatio }: GateOptions): Check {
  const ratio = champion.recordsPerSecond / challenger.recordsPerSecond
  return {
    name: 'cost',
    passed: !(ratio > maxCostRatio),
    detail: `takes ${ratio.toFixed(2)} × the champion's time`,
  }
}

const percent = (share: number): string => `${(100 * share).toPrecision(3)} %`
const nats = (value: number): string => (value < 0 ? '−' : '+') + Math.abs(value).toFixed(3)
