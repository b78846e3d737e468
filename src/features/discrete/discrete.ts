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
 * values seen once (Good 1953) and n₀ the records whose level was not kept; P(c) = (1 − P(0)) · m_c / Σm with m_c = max(count, ½). Conditional: the
 * shares of the counts, mixed with the marginal, P(c | p) = (1 − λ_p) · n_pc / n_p + λ_p · P(c), where λ_p = (s_p + ½) /
 * (n_p + 1) estimates the probability of a code not yet seen with p, from the s_p codes seen once with it (Good 1953):
 * among many records of p without one, a code never seen there is next to impossible. Each sums to 1 over all codes.
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

  /**
   * −log of the probability that a record has a pair of known codes never seen together in column `column` and its
   * parent: the rarer of a new code beside the parent's and a new parent beside the code's. 0 for a pair that was seen.
   */
  newPair(codes: Int32Array, at: number, column: number): number {
    const parent = this.#state.parents[column]
    if (parent < 0 || this.#state.given[column]) return 0
    const [p, code] = [codes[at + parent], codes[at + column]]
    const { sparse, backOff, reverse } = this.#tables[column]
    if (p === 0 || code === 0 || sparse.has(p * this.#marginals[column].length + code)) return 0
    return -Math.min(backOff[p], reverse[code])
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
  /** log λ_p: what a pair never seen keeps of its marginal. */
  readonly backOff: Float64Array
  /** The same with the columns' roles exchanged, per code. */
  readonly reverse: Float64Array
}
const none = new Float64Array(0)
const noTable: ConditionalTable = { dense: undefined, sparse: new Map(), backOff: none, reverse: none }

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
  const { records, logNew: backOff } = novelty(pairs, 0, parentLevels)
  const { logNew: reverse } = novelty(pairs, 1, levels)
  const sparse = new Map<number, number>()
  for (let i = 0; i < pairs.length; i += 3) {
    const [p, code, n] = [pairs[i], pairs[i + 1], pairs[i + 2]]
    const fresh = Math.exp(backOff[p])
    sparse.set(p * levels + code, Math.log(((1 - fresh) * n) / records[p] + fresh * Math.exp(marginal[code])))
  }
  if (parentLevels * levels > DENSE) return { dense: undefined, sparse, backOff, reverse }
  const dense = new Float64Array(parentLevels * levels)
  for (let p = 0; p < parentLevels; p++)
    for (let code = 0; code < levels; code++) dense[p * levels + code] = backOff[p] + marginal[code]
  for (const [pair, logProb] of sparse) dense[pair] = logProb
  return { dense, sparse, backOff, reverse }
}

/** Per code of one side of the pairs (0 the parent, 1 the child): its records, and log λ. */
function novelty(
  pairs: readonly number[],
  side: 0 | 1,
  levels: number,
): { records: Float64Array; logNew: Float64Array } {
  const records = new Float64Array(levels)
  const once = new Float64Array(levels)
  for (let i = 0; i < pairs.length; i += 3) {
    records[pairs[i + side]] += pairs[i + 2]
    if (pairs[i + 2] === 1) once[pairs[i + side]]++
  }
  const logNew = records.map((n, code) => (n === 0 ? 0 : Math.log((once[code] + 0.5) / (n + 1))))
  return { records, logNew }
}
