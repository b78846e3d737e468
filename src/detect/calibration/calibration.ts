import { SurprisalError } from '../../core/errors.ts'
import { quantile } from '../../features/columns/scaling.ts'
import { fitTail, logTail, type TailState } from './tail.ts'

/** The calibration as data: `surprisals`, ascending, go into a tensor; the rest is JSON. */
export interface CalibrationState {
  readonly surprisals: Float32Array
  readonly tail: TailState
}

/** Columns that `apply` fills. */
export interface PValues {
  readonly score: Float64Array
  readonly pValue: Float64Array
  readonly pMethod: Uint8Array
}

const TAIL_SHARE = 0.05
const MIN_TAIL = 10
const MAX_TAIL = 500
const EXTRAPOLATION = 100
const TIE = 1e-5
export const MIN_CALIBRATION = 8

/**
 * From surprisal to p-value. With n held-out normal records, of which those in the bulk speak by their rank:
 *   p(s) = (1 + #{s_cal ≥ s}) / (n + 1)   (split conformal prediction, Vovk, Gammerman and Shafer 2005, §4)
 * its steps joined linearly, so that the curve is continuous and strictly decreasing and P(p ≤ k / (n + 1)) stays
 * k / (n + 1) for exchangeable continuous data. Several equal surprisals are a jump; a record on it draws its place by
 * `tie`, uniform in [0, 1) from its id. The top 5 % (at least 10, at most 500 records) follow a generalised Pareto tail.
 * `floor`: 1 / (100 · (n + 1)); further out the tail is a guess, and no smaller p-value is claimed.
 */
export class Calibration {
  readonly state: CalibrationState
  readonly n: number
  readonly floor: number
  readonly #s: Float32Array
  readonly #low: number
  readonly #scale: number

  constructor(state: CalibrationState) {
    this.state = state
    this.#s = state.surprisals
    this.n = state.surprisals.length
    this.floor = 1 / (EXTRAPOLATION * (this.n + 1))
    this.#low = state.surprisals[0]
    this.#scale = spread(state.surprisals)
  }

  /**
   * From the surprisals of held-out records; DATA_INSUFFICIENT under 8 of them. Where the user says that a share
   * `contamination` of them are anomalies, that share of the ranks is theirs by rule, from the top: what a normal
   * record is ranked among is the rest. Records marked in `certain` are known to be normal and always stay.
   */
  static fit(surprisals: ArrayLike<number>, contamination = 0, certain?: ArrayLike<number>): Calibration {
    const s = trimmed(surprisals, contamination, certain)
    const n = s.length
    if (n < MIN_CALIBRATION) {
      throw new SurprisalError(
        'DATA_INSUFFICIENT',
        `${n} held-out records to calibrate on, at least ${MIN_CALIBRATION} are needed: fit on more records`,
      )
    }
    if (Number.isNaN(s[n - 1])) throw new SurprisalError('INTERNAL', 'a calibration surprisal is NaN')
    const threshold = s[n - 1 - tailSize(s)]
    const excesses = Float64Array.from(
      s.subarray(firstAbove(s, threshold + tolerance(threshold))),
      (v) => v - threshold,
    )
    return new Calibration({
      surprisals: s,
      tail: fitTail(excesses, threshold, (excesses.length + 1) / (n + 1), spread(s)),
    })
  }

  /**
   * Fills `score` (−log10 p before the floor), `pValue` (in [floor, 1]) and `pMethod` (0 rank, 1 tail) for the first
   * `rows` surprisals; NaN stays NaN. `tie(row)` is asked only for a row on a jump.
   */
  apply(surprisals: Float64Array, rows: number, tie: (row: number) => number, out: PValues): void {
    const { tail } = this.state
    const start = tail.threshold + tolerance(tail.threshold)
    for (let i = 0; i < rows; i++) {
      const s = surprisals[i]
      if (s > start) {
        const logP = logTail(tail, s)
        out.score[i] = -logP / Math.LN10
        out.pValue[i] = Math.max(this.floor, Math.exp(logP))
        out.pMethod[i] = 1
      } else {
        const p = this.#rank(s, tie, i)
        out.score[i] = -Math.log10(p)
        out.pValue[i] = Math.max(this.floor, p)
        out.pMethod[i] = 0
      }
    }
  }

  #rank(surprisal: number, tie: (row: number) => number, row: number): number {
    const s = this.#s
    if (Number.isNaN(surprisal)) return Number.NaN
    const reach = tolerance(surprisal)
    const from = firstAbove(s, surprisal - reach)
    const equal = s[from] <= surprisal + reach ? firstAbove(s, surprisal + reach) - from : 0
    const above = this.n - from - equal
    if (equal > 1) return (above + 1 + tie(row) * (equal - 1)) / (this.n + 1)
    if (equal === 1) return (above + 1) / (this.n + 1)
    if (from === 0) return (this.n + 1 - Math.exp((surprisal - this.#low) / this.#scale)) / (this.n + 1)
    const fraction = (s[from] - surprisal) / (s[from] - s[from - 1])
    return (above + fraction) / (this.n + 1)
  }
}

/** Ascending, without the largest share `contamination` of those that are not certain. */
function trimmed(
  surprisals: ArrayLike<number>,
  contamination: number,
  certain: ArrayLike<number> | undefined,
): Float32Array {
  const all = Float32Array.from(surprisals)
  const doubtful = all.filter((_, i) => certain?.[i] !== 1).sort()
  const kept = doubtful.subarray(0, doubtful.length - Math.floor(contamination * doubtful.length))
  return Float32Array.from([...kept, ...all.filter((_, i) => certain?.[i] === 1)]).sort()
}

/** How many of the largest surprisals make the tail: none where half of them are equal, for ranks know jumps. */
function tailSize(s: Float32Array): number {
  const wanted = Math.min(MAX_TAIL, Math.max(Math.ceil(TAIL_SHARE * s.length), MIN_TAIL))
  const k = Math.min(wanted, Math.floor(s.length / 2))
  let distinct = 0
  for (let i = s.length - k; i < s.length; i++) if (s[i] - s[i - 1] > tolerance(s[i])) distinct++
  return distinct * 2 > k ? k : 0
}

function tolerance(surprisal: number): number {
  return TIE * Math.max(1, Math.abs(surprisal))
}

/** Index of the first value > x; s ascending. */
function firstAbove(s: Float32Array, x: number): number {
  let low = 0
  let high = s.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (s[middle] > x) high = middle
    else low = middle + 1
  }
  return low
}

function spread(sorted: Float32Array): number {
  const iqr = quantile(sorted, 0.75) - quantile(sorted, 0.25)
  return iqr > 0 ? iqr : 1
}
