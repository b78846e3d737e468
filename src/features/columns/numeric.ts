import { columnNamed, type RecordBatch } from '../../core/record.ts'
import { BLOCK, type ColumnEncoder, type EncodeTarget } from '../encode-target.ts'
import type { ColumnProfile } from '../profile/profile.ts'
import type { Fringe } from './fringe.ts'
import { isOffGrid } from './quantisation.ts'
import { MISSING, numberReader, PRESENT, type ReadNumbers, timeReader } from './read-numbers.ts'
import { BULK, logSlope, type Scaling, tame } from './scaling.ts'

/** A learned number column. */
export interface NumericState extends Scaling {
  readonly kind: 'numeric'
  readonly field: string
  /** `text`: numbers are parsed; `elapsed`: seconds since another time column. */
  readonly source: 'number' | 'text' | 'elapsed'
  /** For `elapsed`: the field counted from. */
  readonly since: string | null
  /** Step and a point of the grid that the values lie on; step 0 if they are continuous. */
  readonly step: number
  readonly origin: number
  /** Training kept to the grid: a value beside it costs log P of what training never saw and leaves a note. */
  readonly gridKept: boolean
  readonly atoms: readonly number[]
  /** Training held missing values (or NaN where `nan` is `missing`). */
  readonly missing: boolean
  /** What NaN means: a missing value where training had any NaN, else an unscored row. */
  readonly nan: 'missing' | 'unscored'
  /** Set where the column is of low cardinality: all its values, null for missing, most frequent first. */
  readonly levels: readonly (number | null)[] | null
  /** No value of training was below zero, so none is expected there. */
  readonly neverNegative?: true
  /** Its outermost values; absent where all values are levels, and of a mean, minimum or maximum over a window. */
  readonly fringe?: Fringe
  /** Looks back on the stream: missing where the past is short, which is no event and costs nothing. */
  readonly window?: true
}

export function fitNumeric(profile: ColumnProfile, levels: readonly (number | null)[] | null): NumericState {
  const { field, numbers, since, nan, source, window } = profile
  if (numbers === null) throw new RangeError(`${field}: no summary of numbers`)
  const { centre, scale, step, origin, gridKept, atoms, quantiles, fringe } = numbers
  return {
    kind: 'numeric',
    field,
    source: since !== null ? 'elapsed' : source === 'text' ? 'text' : 'number',
    since,
    centre,
    scale,
    step,
    origin,
    gridKept,
    atoms,
    missing: !window && profile.missing + nan > 0,
    nan: nan > 0 ? 'missing' : 'unscored',
    levels: nan > 0 && levels !== null && !levels.includes(null) ? [...levels, null] : levels,
    ...(quantiles !== null && quantiles.min >= 0 && { neverNegative: true }),
    ...(levels === null && window !== 'level' && fringe !== null && { fringe }),
    ...(window && { window: true }),
  }
}

/** The column's discrete companion is needed: it has missing values, atoms or levels. */
export function hasState(state: NumericState): boolean {
  return state.missing || state.atoms.length > 0 || state.levels !== null
}

/** Codes of a `state` column. */
export const STATE_PRESENT = 1
export const STATE_MISSING = 2
export const STATE_ATOMS = 3

const values = new Float64Array(BLOCK)
const origins = new Float64Array(BLOCK)
const status = new Uint8Array(BLOCK)
const originStatus = new Uint8Array(BLOCK)

/** Writes u, the state or level code, and the Jacobians of one number column. */
export class NumericEncoder implements ColumnEncoder {
  readonly #state: NumericState
  readonly #at: number
  readonly #codeAt: number
  readonly #codes = new Map<number, number>()
  readonly #otherCode: number
  readonly #missingCode: number
  readonly #logUnit: number
  readonly #logNever: number

  /** `at`: the numeric column; `codeAt`: the discrete one, −1 if none; `logNever`: log P of what training never saw. */
  constructor(state: NumericState, at: number, codeAt: number, logNever: number) {
    this.#state = state
    this.#at = at
    this.#codeAt = codeAt
    this.#logNever = logNever
    this.#logUnit = logUnitOf(state)
    if (state.levels === null) {
      for (const [i, atom] of state.atoms.entries()) this.#codes.set(atom, STATE_ATOMS + i)
      this.#otherCode = STATE_PRESENT
      this.#missingCode = STATE_MISSING
    } else {
      for (const [i, level] of state.levels.entries()) if (level !== null) this.#codes.set(level, i + 1)
      this.#otherCode = 0
      this.#missingCode = state.levels.indexOf(null) + 1
    }
  }

  bind(batch: RecordBatch, target: EncodeTarget): (from: number, to: number) => void {
    const read = numericReader(this.#state, batch, target)
    return (from, to) => {
      const holes = read(from, to, values, status)
      if (holes || this.#codes.size > 0) this.#careful(from, to, holes, target)
      else this.#plain(from, to, target)
    }
  }

  #plain(from: number, to: number, target: EncodeTarget): void {
    const { numeric, joint, codes, widths } = target
    const { centre, scale } = this.#state
    const width = widths.numeric
    const n = to - from
    for (let i = 0, at = from * width + this.#at; i < n; i++, at += width) {
      const v = (values[i] - centre) / scale
      if (v >= -BULK && v <= BULK) numeric[at] = v
      else this.#far(values[i], from + i, target)
    }
    if (this.#state.gridKept)
      for (let i = 0; i < n; i++)
        if (isOffGrid(values[i], this.#state)) this.#beside(values[i], from + i, target)
    if (joint !== numeric)
      for (let i = 0, at = from * width + this.#at; i < n; i++, at += width) joint[at] = numeric[at]
    if (this.#codeAt >= 0)
      for (let row = from; row < to; row++) {
        const at = row * widths.codes + this.#codeAt
        if (!Number.isNaN(numeric[row * width + this.#at])) codes[at] = STATE_PRESENT
      }
  }

  #careful(from: number, to: number, holes: boolean, target: EncodeTarget): void {
    const { numeric, joint, codes, logUnits, widths } = target
    for (let row = from; row < to; row++) {
      const i = row - from
      const held = holes ? status[i] : PRESENT
      if (held === MISSING) this.#absent(row, target)
      if (held !== PRESENT) continue
      const x = values[i]
      const code = this.#codes.get(x) ?? this.#otherCode
      if (code === STATE_PRESENT && this.#state.levels === null) {
        this.#far(x, row, target)
        if (this.#state.gridKept && isOffGrid(x, this.#state)) this.#beside(x, row, target)
        continue
      }
      if (!Number.isFinite(x)) {
        this.#notFinite(x, row, target)
        continue
      }
      const at = row * widths.numeric + this.#at
      numeric[at] = Number.NaN
      joint[at] = tame(x, this.#state)
      codes[row * widths.codes + this.#codeAt] = code
      logUnits[row] -= this.#logUnit
    }
  }

  #far(x: number, row: number, target: EncodeTarget): void {
    if (!Number.isFinite(x)) {
      this.#notFinite(x, row, target)
      return
    }
    const u = tame(x, this.#state)
    const at = row * target.widths.numeric + this.#at
    target.numeric[at] = u
    target.joint[at] = u
    target.logJacobian[row] += logSlope(u)
    if (this.#codeAt >= 0) target.codes[row * target.widths.codes + this.#codeAt] = STATE_PRESENT
  }

  #beside(x: number, row: number, target: EncodeTarget): void {
    const { field, step } = this.#state
    target.logDiscrete[row] += this.#logNever
    target.note(row, `${field}: values came in steps of ${step}, ${x} is between two`)
  }

  #notFinite(x: number, row: number, target: EncodeTarget): void {
    if (Number.isNaN(x) && this.#state.nan === 'missing') this.#absent(row, target)
    else {
      target.numeric[row * target.widths.numeric + this.#at] = Number.NaN
      target.reject(row, `${this.#state.field}: ${x} is not a finite number`)
    }
  }

  #absent(row: number, target: EncodeTarget): void {
    const { field, missing, levels, window } = this.#state
    const at = row * target.widths.numeric + this.#at
    target.numeric[at] = Number.NaN
    target.joint[at] = Number.NaN
    target.logUnits[row] -= this.#logUnit
    if (this.#codeAt >= 0)
      target.codes[row * target.widths.codes + this.#codeAt] = window ? STATE_PRESENT : this.#missingCode
    if (window) return
    if (this.#codeAt < 0) target.logDiscrete[row] += this.#logNever
    if (!missing && levels === null) target.note(row, `${field}: was never missing in training, is missing`)
  }
}

/** log(step / scale), or −log scale for a continuous column; 0 where the column has no continuous part. */
export function logUnitOf({ levels, step, scale }: NumericState): number {
  return levels !== null ? 0 : (step > 0 ? Math.log(step) : 0) - Math.log(scale)
}

/** The raw value nearest to x that the column can hold: on its grid where it has one. */
export function onGrid(x: number, { step, origin }: NumericState): number {
  return step > 0 ? Number((origin + step * Math.round((x - origin) / step)).toPrecision(12)) : x
}

/** Reads the column's numbers from a batch: itself, or the seconds since its first time column. */
export function numericReader(state: NumericState, batch: RecordBatch, target: EncodeTarget): ReadNumbers {
  const { field, source, since } = state
  const reject = target.reject.bind(target)
  const column = columnNamed(batch, field)
  if (source !== 'elapsed' || since === null) return numberReader(column, field, source === 'text', reject)
  const end = timeReader(column, field, true, reject)
  const start = timeReader(columnNamed(batch, since), since, true, () => {})
  return (from, to, out, held) => {
    const holes = end(from, to, out, held)
    const startHoles = start(from, to, origins, originStatus)
    for (let i = 0; i < to - from; i++) {
      if (!holes) held[i] = PRESENT
      if (startHoles && held[i] === PRESENT) held[i] = originStatus[i]
      out[i] = (out[i] - origins[i]) / 1000
    }
    return holes || startHoles
  }
}
