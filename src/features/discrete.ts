/** A learned distribution of the discrete columns: counts on a forest. Plain JSON. */
export interface DiscreteState {
  /** Per column, records of each code; code 0 holds those whose level was not kept. */
  readonly counts: readonly (readonly number[])[]
  /** Per column, the column it depends on, −1 for a root. Parents of parents end at a root. */
  readonly parents: readonly number[]
  /** Per column, the pairs seen: parent code, code, records, flattened; empty for a root. */
  readonly pairs: readonly (readonly number[])[]
  /** Per column: it conditions and is not modelled. */
  readonly given: readonly boolean[]
}

const DENSE = 1 << 20

/**
 * P(codes) = Π_k P(c_k | c_parent(k)) over a Chow–Liu forest (Chow and Liu 1968).
 *
 * Marginal: P(0) = (n₀ + n₁ + 1) / (n + 2), at most ½, for all values never seen together, with n₁ the number of
 * values seen once (Good 1953) and n₀ the records whose level was not kept; P(c) = (1 − P(0)) · m_c / Σm with m_c = max(count, ½). Conditional: the counts with a
 * Dirichlet prior of weight T_p (the number of different codes seen with the parent's code p, at least 1; Witten and
 * Bell 1991) around the marginal: P(c | p) = (n_pc + T_p · P(c)) / (n_p + T_p). Each sums to 1 over all codes.
 */
export class DiscreteModel {
  readonly columns: number
  readonly #state: DiscreteState
  readonly #marginals: Float64Array[]
  readonly #tables: ConditionalTable[]

  constructor(state: DiscreteState) {
    this.#state = state
    this.columns = state.counts.length
    this.#marginals = state.counts.map(logMarginal)
    this.#tables = state.parents.map((parent, k) =>
      parent < 0 ? noTable : conditional(state.pairs[k], state.counts[parent].length, this.#marginals[k]),
    )
  }

  /** log P of code `code` of a column, whatever the others are; nats. */
  logMarginal(column: number, code: number): number {
    return this.#marginals[column][code]
  }

  /** Adds log P(codes) of each row to `out`; nats. `codes` is [rows, columns], row-major. */
  addLogProb(codes: Int32Array, rows: number, out: Float64Array): void {
    const width = this.columns
    const { parents, given } = this.#state
    for (let k = 0; k < width; k++) {
      if (given[k]) continue
      const parent = parents[k]
      const marginal = this.#marginals[k]
      const { dense, sparse, backOff } = this.#tables[k]
      const levels = marginal.length
      for (let row = 0, at = 0; row < rows; row++, at += width) {
        const code = codes[at + k]
        if (parent < 0) out[row] += marginal[code]
        else {
          const p = codes[at + parent]
          out[row] +=
            dense?.[p * levels + code] ?? sparse.get(p * levels + code) ?? backOff[p] + marginal[code]
        }
      }
    }
  }

  /** log P of one row of codes with column `column` set to each of its levels in turn; nats. */
  logProbOfLevels(codes: Int32Array, column: number): Float64Array {
    const levels = this.#marginals[column].length
    const rows = new Int32Array(levels * this.columns)
    for (let level = 0; level < levels; level++) {
      rows.set(codes, level * this.columns)
      rows[level * this.columns + column] = level
    }
    const out = new Float64Array(levels)
    this.addLogProb(rows, levels, out)
    return out
  }
}

interface ConditionalTable {
  readonly dense: Float64Array | undefined
  readonly sparse: ReadonlyMap<number, number>
  /** log T_p / (n_p + T_p): what a pair never seen keeps of its marginal. */
  readonly backOff: Float64Array
}
const noTable: ConditionalTable = { dense: undefined, sparse: new Map(), backOff: new Float64Array(0) }

function logMarginal(counts: readonly number[]): Float64Array {
  const n = counts.reduce((sum, c) => sum + c, 0)
  const once = counts.filter((c, code) => code > 0 && c === 1).length
  const unseen = Math.min(0.5, (counts[0] + once + 1) / (n + 2))
  const masses = counts.map((c, code) => (code === 0 ? 0 : Math.max(c, 0.5)))
  const total = masses.reduce((sum, m) => sum + m, 0)
  return Float64Array.from(masses, (m, code) =>
    code === 0 ? (total > 0 ? Math.log(unseen) : 0) : Math.log1p(-unseen) + Math.log(m / total),
  )
}

function conditional(
  pairs: readonly number[],
  parentLevels: number,
  marginal: Float64Array,
): ConditionalTable {
  const levels = marginal.length
  const records = new Float64Array(parentLevels)
  const kinds = new Float64Array(parentLevels)
  for (let i = 0; i < pairs.length; i += 3) {
    records[pairs[i]] += pairs[i + 2]
    kinds[pairs[i]]++
  }
  const weight = kinds.map((t) => Math.max(1, t))
  const backOff = weight.map((t, p) => Math.log(t / (records[p] + t)))
  const sparse = new Map<number, number>()
  for (let i = 0; i < pairs.length; i += 3) {
    const [p, code, n] = [pairs[i], pairs[i + 1], pairs[i + 2]]
    const mass = (n + weight[p] * Math.exp(marginal[code])) / (records[p] + weight[p])
    sparse.set(p * levels + code, Math.log(mass))
  }
  if (parentLevels * levels > DENSE) return { dense: undefined, sparse, backOff }
  const dense = new Float64Array(parentLevels * levels)
  for (let p = 0; p < parentLevels; p++)
    for (let code = 0; code < levels; code++) dense[p * levels + code] = backOff[p] + marginal[code]
  for (const [pair, logProb] of sparse) dense[pair] = logProb
  return { dense, sparse, backOff }
}
