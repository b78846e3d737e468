/** Offsets in [first, next). A list of them is ascending, disjoint and never touching. */
export type OffsetRange = readonly [first: number, next: number]

/** Whether a range of the list holds the offset: O(log n). */
export function covers(ranges: readonly OffsetRange[], offset: number): boolean {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (ranges[middle][1] <= offset) low = middle + 1
    else high = middle
  }
  return low < ranges.length && ranges[low][0] <= offset
}

/** The union of the list and one more range. */
export function withRange(ranges: readonly OffsetRange[], [first, next]: OffsetRange): OffsetRange[] {
  const before = ranges.filter((range) => range[1] < first)
  const after = ranges.filter((range) => range[0] > next)
  const touching = ranges.slice(before.length, ranges.length - after.length)
  const merged: OffsetRange = [
    Math.min(first, touching.at(0)?.[0] ?? first),
    Math.max(next, touching.at(-1)?.[1] ?? next),
  ]
  return [...before, merged, ...after]
}
