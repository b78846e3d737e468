const SHARE = 0.02
const COUNT = 20
const TIMES = 8
const MOST = 8

/** Ascending distinct values and how often each occurs. */
export interface ValueCounts {
  readonly values: Float64Array
  readonly counts: Float64Array
}

export function countValues(sorted: Float64Array): ValueCounts {
  const values = new Float64Array(sorted.length)
  const counts = new Float64Array(sorted.length)
  let n = 0
  for (const x of sorted) {
    if (n > 0 && values[n - 1] === x) counts[n - 1]++
    else {
      values[n] = x + 0 // JSON knows no −0
      counts[n++] = 1
    }
  }
  return { values: values.subarray(0, n), counts: counts.subarray(0, n) }
}

/**
 * Atoms: heaps of one exact value inside a number column (zeros, −1, 999). A value is one when it holds at least 2 %
 * of the column and 20 records, and 8 times as many as the second most frequent of its four nearest neighbours (the
 * second, so that two heaps side by side do not hide each other). At most the eight largest, ascending.
 */
export function findAtoms({ values, counts }: ValueCounts): number[] {
  const total = counts.reduce((sum, c) => sum + c, 0)
  const found: { value: number; count: number }[] = []
  for (let i = 0; i < values.length; i++) {
    const count = counts[i]
    if (count < COUNT || count < SHARE * total) continue
    const near = [i - 2, i - 1, i + 1, i + 2].map((k) => counts[k] ?? 0).sort((a, b) => b - a)
    if (count >= TIMES * near[1]) found.push({ value: values[i], count })
  }
  return found
    .sort((a, b) => b.count - a.count)
    .slice(0, MOST)
    .map((atom) => atom.value)
    .sort((a, b) => a - b)
}
