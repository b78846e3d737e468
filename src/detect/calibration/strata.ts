import { createHash } from 'node:crypto'
import { quantile } from '../../features/columns/scaling.ts'
import type { EncodedBatch } from '../../features/encoded.ts'

/** Calibration records that belong together, and where their surprisals lie. */
export interface Stratum {
  readonly key: string
  readonly records: number
  readonly centre: number
  readonly spread: number
}
export interface StrataState {
  /** Of all calibration records: the median of the surprisal, and how far its 90 % quantile lies above. */
  readonly centre: number
  readonly spread: number
  /** By the pattern of missing numbers. */
  readonly missing: readonly Stratum[]
  /** By entity, after the patterns are aligned. Keys are hashes: a model file names nobody. */
  readonly entities: readonly Stratum[]
}
/** What strata are told by, row by row. */
export interface StratumKeys {
  readonly missing: readonly string[]
  readonly entities?: readonly (string | null)[]
}

/** Fewer calibration records than this say nothing of a stratum; it keeps the pool's place. */
const FEWEST = { missing: 20, entities: 50 }
/** The squared standard errors of a median and of the log of a spread, in spreads, times the number of records. */
const NOISE = { centre: 1, spread: 2 }
/** A departure from the pool counts by 1 − 2 · (error / departure)², at least 0. */
const DOUBT = 2
/** Entities whose strata are remembered between batches. */
const REMEMBERED = 100_000

/**
 * Makes surprisals of unlike records comparable, so that p-values are fair to each kind: records whose missing numbers
 * leave fewer dimensions, and entities with a normality of their own. With median m_g and distance d_g from it to the
 * 90 % quantile among the n_g calibration records of stratum g, m and d of all of them,
 *   s' = m + (s − c_g) · d / e_g,   c_g = m + w · (m_g − m),   e_g = d · (d_g / d)^w,
 *   w = max(0, 1 − 2 · se² / δ²)   (a non-negative garrote, Breiman 1995),
 * δ being the departure m_g − m, or ln(d_g / d), and se its standard error, d / √n_g, or √(2 / n_g): what noise explains
 * is shrunk to the pool, and what it does not is believed. Patterns first, entities on what is left. Heaps are no
 * strata: which heap a value lies on tells normal from odd, a missing value tells nothing.
 */
export class Strata {
  readonly state: StrataState
  readonly #missing: ReadonlyMap<string, Stratum>
  readonly #entities: ReadonlyMap<string, Stratum>
  readonly #known = new Map<string, Stratum | undefined>()

  constructor(state: StrataState) {
    this.state = state
    this.#missing = new Map(state.missing.map((stratum) => [stratum.key, stratum]))
    this.#entities = new Map(state.entities.map((stratum) => [stratum.key, stratum]))
  }

  /** From the surprisals of calibration records and what each belongs to. */
  static fit(surprisals: Float64Array, { missing, entities }: StratumKeys): Strata {
    const pool = placeOf(surprisals)
    const patterns = strataOf(surprisals, missing, pool, FEWEST.missing)
    const first = new Strata({ ...pool, missing: patterns, entities: [] })
    if (entities === undefined) return first
    const aligned = surprisals.slice()
    first.align(aligned, { missing })
    const keys = entities.map((entity) => (entity === null ? null : keyOf(entity)))
    return new Strata({ ...first.state, entities: strataOf(aligned, keys, pool, FEWEST.entities) })
  }

  /** Whether any stratum departs from the pool. */
  get told(): boolean {
    return this.#missing.size > 0 || this.byEntity
  }

  /** Whether rows are told apart by their entity. */
  get byEntity(): boolean {
    return this.#entities.size > 0
  }

  /** Moves the surprisals of rows to where those of all calibration records lie. */
  align(surprisals: Float64Array, { missing, entities }: StratumKeys): void {
    for (let i = 0; i < missing.length; i++) {
      this.#move(surprisals, i, this.#missing.get(missing[i]))
      const entity = entities?.[i] ?? null
      if (entity !== null) this.#move(surprisals, i, this.#stratumOf(entity))
    }
  }

  /** The keys of encoded rows; all alike where no stratum asks for them. */
  keysOf(encoded: EncodedBatch, entities: readonly (string | null)[] | undefined): StratumKeys {
    const missing =
      this.#missing.size > 0 ? missingPatterns(encoded) : new Array<string>(encoded.rows).fill('')
    return { missing, ...(this.byEntity && entities && { entities }) }
  }

  #move(surprisals: Float64Array, i: number, stratum: Stratum | undefined): void {
    if (stratum === undefined) return
    const { centre, spread } = this.state
    surprisals[i] = centre + ((surprisals[i] - stratum.centre) * spread) / stratum.spread
  }

  #stratumOf(entity: string): Stratum | undefined {
    if (!this.byEntity) return undefined
    if (!this.#known.has(entity)) {
      if (this.#known.size >= REMEMBERED) this.#known.clear()
      this.#known.set(entity, this.#entities.get(keyOf(entity)))
    }
    return this.#known.get(entity)
  }
}

/** Per row, the numeric columns without a value, separated by dots. */
export function missingPatterns({ rows, joint }: Pick<EncodedBatch, 'rows' | 'joint'>): string[] {
  const width = rows === 0 ? 0 : joint.length / rows
  return Array.from({ length: rows }, (_, row) => {
    let key = ''
    for (let d = 0, at = row * width; d < width; d++, at++) if (Number.isNaN(joint[at])) key += `${d}.`
    return key
  })
}

function strataOf(
  surprisals: Float64Array,
  keys: readonly (string | null)[],
  pool: Pick<StrataState, 'centre' | 'spread'>,
  fewest: number,
): Stratum[] {
  const members = new Map<string, number[]>()
  for (const [i, key] of keys.entries()) {
    if (key === null) continue
    const own = members.get(key)
    if (own === undefined) members.set(key, [surprisals[i]])
    else own.push(surprisals[i])
  }
  if (members.size < 2) return []
  return [...members].flatMap(([key, own]) => {
    if (own.length < fewest) return []
    const { centre, spread } = placeOf(own)
    const [shift, stretch] = [(centre - pool.centre) / pool.spread, Math.log(spread / pool.spread)]
    const records = own.length
    return [
      {
        key,
        records,
        centre: pool.centre + believed(shift, NOISE.centre / records) * pool.spread,
        spread: pool.spread * Math.exp(believed(stretch, NOISE.spread / records)),
      },
    ]
  })
}

/** A departure shrunk by what of it noise explains. */
function believed(departure: number, variance: number): number {
  return departure * Math.max(0, 1 - (DOUBT * variance) / departure ** 2 || 0)
}

function placeOf(surprisals: ArrayLike<number>): Pick<StrataState, 'centre' | 'spread'> {
  const sorted = Float64Array.from(surprisals).sort()
  const centre = quantile(sorted, 0.5)
  const spread = quantile(sorted, 0.9) - centre
  return { centre, spread: spread > 1e-6 ? spread : 1 }
}

function keyOf(entity: string): string {
  return createHash('sha256').update(entity).digest('base64url').slice(0, 16)
}
