/**
 * Groups of records with equal codes that explain a number column, from all records to the finest grouping.
 * Plain JSON.
 */
export interface AnchorState {
  /** The number column, as EncodedLayout.numeric counts. */
  readonly column: number
  /** Least scale within a group, encoded units: no density is infinite where a group's values are all the same. */
  readonly floor: number
  /** Geometric mean of the scales within the finest groups, encoded units. */
  readonly typical: number
  readonly root: { readonly mean: number; readonly logVariance: number }
  /** Coarse to fine; a record is looked up in each until its group was never seen. */
  readonly groupings: readonly Grouping[]
}
export interface Grouping {
  /** Discrete columns whose codes make the group: one or two. */
  readonly by: readonly number[]
  /** Number of codes of the last column in `by`. */
  readonly levels: number
  /** Records that the coarser mean counts for. */
  readonly strength: number
  /** Mean of ln variance within a group. */
  readonly logVariance: number
  /** Per group: key, records, mean, Σ (u − mean)²; flattened. The key is the code, or code · levels + code. */
  readonly groups: readonly number[]
}

/** Columns of `Anchor.estimate`: the mean, ln scale, and ln(1 + records of the group). */
export const ESTIMATES = 3
const FIELDS = 4
const DENSE = 1 << 20
/** Degrees of freedom that the mean ln variance counts for. */
const PRIOR = 4

/**
 * Where a number is to be expected given the codes beside it: normal with the mean and scale of its group, both
 * shrunk towards the coarser grouping (one column, then all records),
 *   mean = (n · mean_g + k · mean_coarser) / (n + k),
 *   ln s² = ((n − 1) ln s²_g + 4 · mean ln s²) / (n + 3) + ln(1 + 1 / (n + k)),
 * with k the ratio of the variance within groups to that between them (Bühlmann 1967). A group never seen has the
 * estimate of the coarser one.
 */
export class Anchor {
  readonly column: number
  /** Discrete columns whose codes it reads. */
  readonly by: readonly number[]
  /** AnchorState.typical. */
  readonly typical: number
  readonly #state: AnchorState
  readonly #places: readonly Places[]
  /** Per grouping, [groups, ESTIMATES]. */
  readonly #estimates: readonly Float64Array[]
  readonly #root: Float64Array

  constructor(state: AnchorState) {
    this.#state = state
    this.column = state.column
    this.by = [...new Set(state.groupings.flatMap(({ by }) => by))]
    this.typical = state.typical
    this.#places = state.groupings.map(placesOf)
    this.#root = Float64Array.of(state.root.mean, state.root.logVariance / 2, 0)
    const estimates: Float64Array[] = []
    for (const [g, { groups, levels, by }] of state.groupings.entries()) {
      const own = new Float64Array((groups.length / FIELDS) * ESTIMATES)
      for (let i = 0; i < groups.length / FIELDS; i++) {
        const [key, n, mean, square] = groups.slice(i * FIELDS, (i + 1) * FIELDS)
        const out = own.subarray(i * ESTIMATES, (i + 1) * ESTIMATES)
        const coarser = by.length === 1 ? -1 : this.#places[g - 1].of(Math.floor(key / levels))
        out.set(
          coarser < 0
            ? this.#root
            : estimates[g - 1].subarray(coarser * ESTIMATES, (coarser + 1) * ESTIMATES),
        )
        this.#refine(out, g, n, mean, square)
      }
      estimates.push(own)
    }
    this.#estimates = estimates
  }

  /** Mean, ln scale and ln(1 + n), written to `out`, for the record whose codes start at `at`. */
  estimate(codes: Int32Array, at: number, out = new Float64Array(ESTIMATES)): Float64Array {
    for (let g = this.#places.length - 1; g >= 0; g--) {
      const place = this.#places[g].of(this.#keyOf(g, codes, at))
      if (place < 0) continue
      const from = place * ESTIMATES
      const known = this.#estimates[g]
      out[0] = known[from]
      out[1] = known[from + 1]
      out[2] = g === this.#places.length - 1 ? known[from + 2] : 0
      return out
    }
    out.set(this.#root)
    return out
  }

  /** The same from all records but this one, which the fit has counted with the value u. */
  estimateWithout(codes: Int32Array, at: number, u: number, out: Float64Array): void {
    out.set(this.#root)
    for (const [g, { groups }] of this.#state.groupings.entries()) {
      const place = this.#places[g].of(this.#keyOf(g, codes, at))
      const from = place * FIELDS
      const n = place < 0 ? 0 : groups[from + 1] - 1
      out[2] = 0
      if (n < 1) return
      const mean = groups[from + 2] + (groups[from + 2] - u) / n
      this.#refine(out, g, n, mean, Math.max(0, groups[from + 3] - (u - groups[from + 2]) * (u - mean)))
    }
  }

  /** Turns the coarser estimate in `out` into the group's. */
  #refine(out: Float64Array, g: number, n: number, mean: number, square: number): void {
    const { strength, logVariance } = this.#state.groupings[g]
    const least = this.#state.floor ** 2
    const own = n > 1 ? (n - 1) * Math.log(Math.max(least, square / (n - 1))) : 0
    out[0] = (n * mean + strength * out[0]) / (n + strength)
    out[1] = ((own + PRIOR * logVariance) / (n - 1 + PRIOR) + Math.log1p(1 / (n + strength))) / 2
    out[2] = Math.log1p(n)
  }

  #keyOf(g: number, codes: Int32Array, at: number): number {
    const { by, levels } = this.#state.groupings[g]
    const first = codes[at + by[0]]
    return by.length === 1 ? first : first * levels + codes[at + by[1]]
  }
}

/** The place of each key among the groups, −1 for others. */
interface Places {
  of(key: number): number
}

function placesOf({ groups }: Grouping): Places {
  let most = 0
  for (let i = 0; i < groups.length; i += FIELDS) most = Math.max(most, groups[i])
  if (most < DENSE) {
    const dense = new Int32Array(most + 1).fill(-1)
    for (let i = 0; i < groups.length; i += FIELDS) dense[groups[i]] = i / FIELDS
    return { of: (key) => (key <= most ? dense[key] : -1) }
  }
  const sparse = new Map<number, number>()
  for (let i = 0; i < groups.length; i += FIELDS) sparse.set(groups[i], i / FIELDS)
  return { of: (key) => sparse.get(key) ?? -1 }
}
