import type { DiscreteState } from './discrete.ts'

/** Codes of some rows, [rows, columns], row-major. */
export interface Codes {
  readonly rows: number
  readonly codes: Int32Array
}
/** A column's number of codes, and whether it conditions only. */
export interface DiscreteColumn {
  readonly levels: number
  readonly given: boolean
}

/** Pair counts that the structure may cost, and the rows it looks at. */
const WORK = 1e8
const ROWS = { least: 500, most: 50_000 }
const FEW_PAIRS = 1024

/**
 * Learns the forest from two passes over the data: the maximum spanning tree of the pairwise mutual information
 * (Chow and Liu 1968), each edge charged log(n) / 2n per parameter (Suzuki 1993) so that chance dependence adds none;
 * then the counts. `given` columns come first: they may be parents and never have one.
 */
export function fitDiscrete(
  columns: readonly DiscreteColumn[],
  passes: () => Iterable<Codes>,
): DiscreteState {
  const width = columns.length
  const counts = columns.map(({ levels }) => new Array<number>(levels).fill(0))
  let rows = 0
  for (const block of passes()) {
    rows += block.rows
    for (let at = 0; at < block.rows * width; at += width)
      for (let k = 0; k < width; k++) counts[k][block.codes[at + k]]++
  }
  const wanted = Math.min(ROWS.most, Math.max(ROWS.least, WORK / Math.max(1, (width * (width - 1)) / 2)))
  const stride = Math.max(1, Math.ceil(rows / wanted))
  const parents = width < 2 ? columns.map(() => -1) : spanning(columns, thinned(passes(), width, stride))
  const pairs = countPairs(columns, parents, passes)
  return { counts, parents, pairs, given: columns.map(({ given }) => given) }
}

/** One array per column, of every `stride`-th row. */
function thinned(blocks: Iterable<Codes>, width: number, stride: number): number[][] {
  const kept: number[][] = Array.from({ length: width }, () => [])
  let next = 0
  for (const { rows, codes } of blocks) {
    for (; next < rows; next += stride) for (let k = 0; k < width; k++) kept[k].push(codes[next * width + k])
    next -= rows
  }
  return kept
}

function spanning(columns: readonly DiscreteColumn[], sample: readonly number[][]): number[] {
  const edges: { a: number; b: number; gain: number }[] = []
  for (let a = 0; a < columns.length; a++)
    for (let b = a + 1; b < columns.length; b++) {
      if (columns[a].given && columns[b].given) continue
      const gain = chargedInformation(sample[a], sample[b], columns[b].levels)
      if (gain > 0) edges.push({ a, b, gain })
    }
  edges.sort((x, y) => y.gain - x.gain || x.a - y.a || x.b - y.b)
  const group = columns.map(({ given }, k) => (given ? -1 : k))
  const neighbours: number[][] = columns.map(() => [])
  for (const { a, b } of edges) {
    if (group[a] === group[b]) continue
    const [from, to] = [group[b], group[a]]
    const kept = Math.min(from, to)
    const gone = Math.max(from, to)
    for (let k = 0; k < group.length; k++) if (group[k] === gone) group[k] = kept
    neighbours[a].push(b)
    neighbours[b].push(a)
  }
  return oriented(columns, neighbours)
}

/** Points every edge away from the `given` columns, else from the first column of each tree. */
function oriented(columns: readonly DiscreteColumn[], neighbours: readonly number[][]): number[] {
  const parents = columns.map(() => -1)
  const seen = new Set<number>()
  const order = [...columns.keys()].sort(
    (a, b) => Number(columns[b].given) - Number(columns[a].given) || a - b,
  )
  const given = order.filter((k) => columns[k].given)
  for (const k of given) seen.add(k)
  for (const start of order) {
    if (seen.has(start) && !columns[start].given) continue
    seen.add(start)
    const queue = [start]
    for (let at = queue.shift(); at !== undefined; at = queue.shift())
      for (const next of neighbours[at]) {
        if (seen.has(next)) continue
        seen.add(next)
        parents[next] = at
        queue.push(next)
      }
  }
  return parents
}

/** Mutual information less log(n) / 2n per free parameter; nats. */
function chargedInformation(a: readonly number[], b: readonly number[], levels: number): number {
  const n = a.length
  const pairs = pairCounts(a, b, levels)
  const first = new Map<number, number>()
  const second = new Map<number, number>()
  for (const [pair, count] of pairs) {
    const [x, y] = [Math.floor(pair / levels), pair % levels]
    first.set(x, (first.get(x) ?? 0) + count)
    second.set(y, (second.get(y) ?? 0) + count)
  }
  let information = 0
  for (const [pair, count] of pairs) {
    const expected = first.get(Math.floor(pair / levels))! * second.get(pair % levels)!
    information += (count / n) * Math.log((count * n) / expected)
  }
  const parameters = Math.max(1, pairs.size - first.size - second.size + 1)
  return information - (parameters * Math.log(n)) / (2 * n)
}

/** Records of each pair of codes seen; in an array where there are few, which most columns have. */
function pairCounts(a: readonly number[], b: readonly number[], levels: number): Map<number, number> {
  const counts = new Map<number, number>()
  const few = new Uint32Array(FEW_PAIRS)
  for (let i = 0; i < a.length; i++) {
    const pair = a[i] * levels + b[i]
    if (pair < FEW_PAIRS) few[pair]++
    else counts.set(pair, (counts.get(pair) ?? 0) + 1)
  }
  for (const [pair, count] of few.entries()) if (count > 0) counts.set(pair, count)
  return counts
}

function countPairs(
  columns: readonly DiscreteColumn[],
  parents: readonly number[],
  passes: () => Iterable<Codes>,
): number[][] {
  const width = columns.length
  const tables = columns.map(() => new Map<number, number>())
  const children = [...columns.keys()].filter((k) => parents[k] >= 0)
  if (children.length > 0)
    for (const { rows, codes } of passes())
      for (const k of children) {
        const table = tables[k]
        const { levels } = columns[k]
        for (let at = 0; at < rows * width; at += width) {
          const pair = codes[at + parents[k]] * levels + codes[at + k]
          table.set(pair, (table.get(pair) ?? 0) + 1)
        }
      }
  return tables.map((table, k) =>
    [...table]
      .sort((x, y) => x[0] - y[0])
      .flatMap(([pair, n]) => [Math.floor(pair / columns[k].levels), pair % columns[k].levels, n]),
  )
}
