import { random } from '../core/random.ts'

/** Row numbers of four disjoint parts that together are all rows; each ascending. */
export interface Parts {
  /** Gradients come from these. */
  readonly fit: Int32Array
  /** Decide when to stop. */
  readonly stop: Int32Array
  /** Give the p-values; never trimmed by their own score. */
  readonly calibrate: Int32Array
  /** Judge the finished model against the champion. */
  readonly gate: Int32Array
}

/** One of k cross-conformal folds: `calibrate` is scored by what was learned from `fit` with `stop`. */
export type Fold = Pick<Parts, 'fit' | 'stop' | 'calibrate'>

export interface PartsOptions {
  readonly seed: number
  /** Rows stand in order of time: the parts are blocks, the latest are held out. Otherwise they are drawn at random. */
  readonly ordered: boolean
  /** false leaves the gate part empty, for a fit that no champion waits for. */
  readonly gate?: boolean
}

const STOP = { share: 0.1, most: 20_000 }
const CALIBRATE = { share: 0.2, most: 200_000 }
const GATE = { share: 0.1, most: 100_000 }

/** Below this, held-out parts of their own would cost too many training rows: use folds. */
export const FEWEST_ROWS_FOR_PARTS = 1000

/** Fit, stop, calibrate, gate: about 60, 10, 20 and 10 % of the rows, the held-out parts bounded. */
export function splitParts(rows: number, { seed, ordered, gate = true }: PartsOptions): Parts {
  const order = Int32Array.from({ length: rows }, (_, i) => i)
  if (!ordered) random(seed).shuffle(order)
  const size = ({ share, most }: { share: number; most: number }) => Math.min(most, Math.round(share * rows))
  const sizes = [size(STOP), size(CALIBRATE), gate ? size(GATE) : 0]
  const fit = Math.max(0, rows - sizes[0] - sizes[1] - sizes[2])
  let from = 0
  const take = (count: number) => {
    from += count
    return order.slice(from - count, from).sort()
  }
  return { fit: take(fit), stop: take(sizes[0]), calibrate: take(sizes[1]), gate: take(sizes[2]) }
}

/**
 * Cross-conformal folds (Vovk 2015): fold i calibrates on the i-th share of the rows, stops by a slice of the rest
 * that is as large, and learns from all others, so that every row calibrates once.
 */
export function crossConformalFolds(
  rows: number,
  folds: number,
  { seed, ordered }: Omit<PartsOptions, 'gate'>,
): readonly Fold[] {
  const k = Math.max(2, Math.min(folds, rows))
  const order = Int32Array.from({ length: rows }, (_, i) => i)
  if (!ordered) random(seed).shuffle(order)
  const shares = Array.from({ length: k }, (_, i) =>
    order.slice(Math.floor((i * rows) / k), Math.floor(((i + 1) * rows) / k)),
  )
  return shares.map((calibrate, i) => {
    const others = shares.filter((_, j) => j !== i).map((share) => Array.from(share))
    if (k === 2) {
      const [half] = others
      const stop = Math.max(1, Math.floor(half.length / 5))
      return foldOf(half.slice(stop), half.slice(0, stop), calibrate)
    }
    const next = i % (k - 1)
    return foldOf(
      others.flatMap((share, j) => (j === next ? [] : share)),
      others[next],
      calibrate,
    )
  })
}

function foldOf(fit: readonly number[], stop: readonly number[], calibrate: Int32Array): Fold {
  return { fit: Int32Array.from(fit).sort(), stop: Int32Array.from(stop).sort(), calibrate: calibrate.sort() }
}
