import type { EncodedBatch, EncodedLayout } from '../encoded.ts'
import type { AnchorState, Grouping } from './anchor.ts'

/** Values that the choice of groupings may look at, and its rows. */
const WORK = 5e7
const ROWS = { least: 400, most: 50_000 }
/** Columns of a number's own that are tried in pairs: those that explain most by themselves. */
const PAIRED = 4
/** A grouping pays where it leaves at most this share of the variance that the coarser one leaves. */
const PAYS = 0.9
/** Groups kept of one grouping, the largest first. */
const MOST_GROUPS = 50_000
/** Encoded units; about a thousandth of the column's spread. */
const LEAST_SCALE = 1e-3
const LEAST_STRENGTH = 1e-6
const MOST_STRENGTH = 1000

/** Codes and one number's values of some rows. */
interface Sample {
  readonly codes: readonly Int32Array[]
  readonly values: readonly Float64Array[]
}
interface Moments {
  n: number
  mean: number
  square: number
}

/**
 * Finds for each continuous column the discrete column, or the pair of them, that explains it: product → price,
 * sensor → level, route → distance. By the share of variance that group means learned on one half of a sample of at
 * most 50,000 rows leave on the other half, so that a column of many levels gains nothing by chance. Pairs are tried
 * among the four best single columns. Columns that nothing explains have no anchor.
 */
export function fitAnchors(layout: EncodedLayout, passes: () => Iterable<EncodedBatch>): AnchorState[] {
  const numbers = layout.numeric.flatMap(({ lowCardinality }, i) => (lowCardinality ? [] : [i]))
  const groupers = layout.discrete.flatMap(({ role }, k) => (role === 'state' ? [] : [k]))
  if (numbers.length === 0 || groupers.length === 0) return []
  let rows = 0
  for (const block of passes()) rows += block.rows
  const wanted = Math.min(ROWS.most, Math.max(ROWS.least, WORK / (numbers.length * groupers.length)))
  const sample = thinned(layout, passes(), Math.max(1, Math.ceil(rows / wanted)))
  const chosen = numbers.flatMap((column) => {
    const by = explaining(sample, column, groupers, layout)
    return by.length === 0 ? [] : [{ column, by }]
  })
  return chosen.length === 0 ? [] : measured(layout, chosen, passes)
}

function thinned(layout: EncodedLayout, blocks: Iterable<EncodedBatch>, stride: number): Sample {
  const codes: number[][] = layout.discrete.map(() => [])
  const values: number[][] = layout.numeric.map(() => [])
  let next = 0
  for (const { rows, codes: own, numeric, unscored } of blocks) {
    for (; next < rows; next += stride) {
      if (unscored.has(next)) continue
      for (const [k, out] of codes.entries()) out.push(own[next * codes.length + k])
      for (const [i, out] of values.entries()) out.push(numeric[next * values.length + i])
    }
    next -= rows
  }
  return {
    codes: codes.map((column) => Int32Array.from(column)),
    values: values.map((column) => Float64Array.from(column)),
  }
}

/** The groupings that pay, coarse to fine: none, [a], or [a] and [a, b]. */
function explaining(
  { codes, values }: Sample,
  column: number,
  groupers: readonly number[],
  layout: EncodedLayout,
): number[][] {
  const u = values[column]
  const unexplained = (by: readonly number[]): number => residual(u, keysOf(by, codes, layout))
  const singles = groupers
    .map((k) => ({ k, left: unexplained([k]) }))
    .sort((a, b) => a.left - b.left || a.k - b.k)
  const few = singles.slice(0, PAIRED)
  const pairs = few.flatMap(({ k: a }, i) =>
    few.slice(i + 1).map(({ k: b }) => ({ by: [a, b], left: unexplained([a, b]) })),
  )
  const single = singles[0]
  const pair = pairs.sort((a, b) => a.left - b.left)[0]
  const least = Math.min(1, single.left)
  if (pair !== undefined && pair.left <= PAYS * least) return [[pair.by[0]], pair.by]
  return single.left <= PAYS ? [[single.k]] : []
}

function keysOf(by: readonly number[], codes: readonly Int32Array[], layout: EncodedLayout): Float64Array {
  const [a, b] = by
  if (b === undefined) return Float64Array.from(codes[a])
  const { levels } = layout.discrete[b]
  return Float64Array.from(codes[a], (code, i) => code * levels + codes[b][i])
}

/** Share of the variance of every other row that the group means of the rest leave: 1 if they say nothing. */
function residual(u: Float64Array, keys: Float64Array): number {
  const groups = new Map<number, Moments>()
  const all: Moments = { n: 0, mean: 0, square: 0 }
  for (let i = 0; i < u.length; i += 2) {
    if (Number.isNaN(u[i])) continue
    count(all, u[i])
    count(momentsOf(groups, keys[i]), u[i])
  }
  let left = 0
  let total = 0
  for (let i = 1; i < u.length; i += 2) {
    if (Number.isNaN(u[i])) continue
    const { n, mean } = groups.get(keys[i]) ?? { n: 0, mean: 0 }
    left += (u[i] - (n * mean + all.mean) / (n + 1)) ** 2
    total += (u[i] - all.mean) ** 2
  }
  return total > 0 ? left / total : 1
}

function measured(
  layout: EncodedLayout,
  chosen: readonly { readonly column: number; readonly by: readonly number[][] }[],
  passes: () => Iterable<EncodedBatch>,
): AnchorState[] {
  const roots = chosen.map((): Moments => ({ n: 0, mean: 0, square: 0 }))
  const tables = chosen.map(({ by }) => by.map(() => new Map<number, Moments>()))
  const [width, across] = [layout.discrete.length, layout.numeric.length]
  for (const { rows, codes, numeric, unscored } of passes())
    for (let row = 0; row < rows; row++) {
      if (unscored.has(row)) continue
      for (const [c, { column, by }] of chosen.entries()) {
        const u = numeric[row * across + column]
        if (Number.isNaN(u)) continue
        count(roots[c], u)
        for (const [g, [a, b]] of by.entries()) {
          const first = codes[row * width + a]
          const key = b === undefined ? first : first * layout.discrete[b].levels + codes[row * width + b]
          count(momentsOf(tables[c][g], key), u)
        }
      }
    }
  return chosen.map(({ column, by }, c) => {
    const floor = Math.max(LEAST_SCALE, 2 * layout.numeric[column].halfStep)
    const root = roots[c]
    const groupings = by.map((own, g): Grouping => {
      const { levels } = layout.discrete[own[own.length - 1]]
      const coarser = (key: number): number =>
        (g === 0 ? undefined : tables[c][g - 1].get(Math.floor(key / levels))?.mean) ?? root.mean
      return groupingOf(own, levels, tables[c][g], coarser, floor)
    })
    return {
      column,
      floor,
      typical: Math.exp(groupings[groupings.length - 1].logVariance / 2),
      root: {
        mean: root.mean,
        logVariance: Math.log(Math.max(floor ** 2, root.square / Math.max(1, root.n - 1))),
      },
      groupings,
    }
  })
}

function groupingOf(
  by: readonly number[],
  levels: number,
  table: ReadonlyMap<number, Moments>,
  coarser: (key: number) => number,
  floor: number,
): Grouping {
  let [records, free, square, between, logs] = [0, 0, 0, 0, 0]
  for (const [key, group] of table) {
    records += group.n
    free += group.n - 1
    square += group.square
    between += group.n * (group.mean - coarser(key)) ** 2
    if (group.n > 1) logs += (group.n - 1) * Math.log(Math.max(floor ** 2, group.square / (group.n - 1)))
  }
  const within = square / Math.max(1, free)
  const spread = (between - table.size * within) / Math.max(1, records)
  const strength = spread > 0 ? within / spread : MOST_STRENGTH
  const largest = [...table].sort((a, b) => b[1].n - a[1].n || a[0] - b[0]).slice(0, MOST_GROUPS)
  return {
    by,
    levels,
    strength: Math.min(MOST_STRENGTH, Math.max(LEAST_STRENGTH, strength)),
    logVariance: free > 0 ? logs / free : Math.log(floor ** 2),
    groups: largest.flatMap(([key, { n, mean, square: m2 }]) => [key, n, short(mean), short(m2)]),
  }
}

/** Enough digits for a float32. */
function short(x: number): number {
  return Number(x.toPrecision(8))
}

function momentsOf(groups: Map<number, Moments>, key: number): Moments {
  let moments = groups.get(key)
  if (moments === undefined) {
    moments = { n: 0, mean: 0, square: 0 }
    groups.set(key, moments)
  }
  return moments
}

/** Welford's update (1962). */
function count(moments: Moments, x: number): void {
  moments.n++
  const d = x - moments.mean
  moments.mean += d / moments.n
  moments.square += d * (x - moments.mean)
}
