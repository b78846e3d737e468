import { SurprisalError } from '../core/errors.ts'
import { cell, columnNamed, type RecordBatch } from '../core/record.ts'
import { Anchor } from './anchors/anchor.ts'
import { ClockEncoder, clockColumns } from './columns/clock.ts'
import { ConstantEncoder } from './columns/constant.ts'
import { ContextNumberEncoder } from './columns/context-number.ts'
import { LevelEncoder } from './columns/level.ts'
import { hasState, logUnitOf, NumericEncoder, type NumericState, onGrid } from './columns/numeric.ts'
import { tame, untame } from './columns/scaling.ts'
import { shown } from './columns/text.ts'
import { DiscreteModel } from './discrete/discrete.ts'
import { BLOCK, type ColumnEncoder, EncodeTarget } from './encode-target.ts'
import type { EncodedBatch, EncodedLayout, Level } from './encoded.ts'
import { type ColumnState, type EncoderState, layoutOf, logNeverSeen, measureOf } from './encoder-state.ts'
import { type ColumnSummary, describeColumns } from './profile/describe.ts'

/** A level that training never saw is worth a note where its probability is below this. */
const NOTEWORTHY = Math.log(0.05)

/**
 * Turns record batches into unit-free numbers, codes and context (EncodedBatch says how), by rules learned once and
 * frozen. log p(record) = logDiscrete + log p(u | codes, context) + logJacobian + logUnits, in nats.
 */
export class FeatureEncoder {
  readonly state: EncoderState
  readonly layout: EncodedLayout
  /** Names the base measure: log probabilities compare between encoders where it is equal. */
  readonly measure: string
  readonly discrete: DiscreteModel
  /** What a view expects of numbers by the codes beside them. */
  readonly anchors: readonly Anchor[]
  readonly #encoders: readonly ColumnEncoder[]
  readonly #numbers: ReadonlyMap<string, NumericState>
  readonly #logUnits: number
  readonly #twofold: boolean

  private constructor(state: EncoderState) {
    this.state = deepFreeze(state)
    this.layout = deepFreeze(layoutOf(state.columns))
    this.measure = measureOf(state.columns)
    this.discrete = new DiscreteModel(state.discrete)
    this.anchors = state.anchors.map((anchor) => new Anchor(anchor))
    this.#encoders = encodersOf(state)
    const numbers = state.columns.filter((column) => column.kind === 'numeric')
    this.#numbers = new Map(numbers.map((number) => [number.field, number]))
    this.#logUnits = numbers.reduce((sum, number) => sum + logUnitOf(number), 0)
    this.#twofold = numbers.some(({ atoms, levels }) => atoms.length > 0 || levels !== null)
  }

  /** Rebuilds a fitted encoder; MODEL_VERSION_UNSUPPORTED for a state of a newer format. */
  static fromState(state: EncoderState): FeatureEncoder {
    if (state.version !== 1)
      throw new SurprisalError(
        'MODEL_VERSION_UNSUPPORTED',
        `encoder state has version ${shown(state.version)}; this program reads version 1: install a newer one`,
      )
    return new FeatureEncoder(state)
  }

  /**
   * Encodes a batch; columns that were not learned are ignored. `into`, an earlier result, lends its buffers and must
   * not be read afterwards. Throws SCHEMA_MISMATCH when a learned column is missing.
   */
  encode(batch: RecordBatch, into?: EncodedBatch): EncodedBatch {
    const target = new EncodeTarget(batch.rows, this.layout, this.#twofold, into)
    if (batch.rows === 0) return target
    target.logUnits.fill(this.#logUnits)
    const writers = this.#encoders.map((encoder) => encoder.bind(batch, target))
    for (let from = 0; from < batch.rows; from += BLOCK) {
      const to = Math.min(batch.rows, from + BLOCK)
      for (const write of writers) write(from, to)
    }
    if (this.layout.discrete.length > 0) {
      this.discrete.addLogProb(target.codes, target.rows, target.logDiscrete)
      this.#noteUnseen(batch, target)
    }
    target.blankUnscored()
    return target
  }

  /** The raw value at coordinate u of a number column; for a second time column, seconds since the first. */
  decode(field: string, u: number): number {
    return untame(u, this.#number(field))
  }

  /** Like decode, as a value that the column can hold: on its grid where it has one, of the signs that it has had. */
  expected(field: string, u: number): number {
    const number = this.#number(field)
    const value = onGrid(untame(u, number), number)
    return number.neverNegative ? Math.max(0, value) : value
  }

  /** The coordinate u of a raw value of a number column. */
  encodeValue(field: string, raw: number): number {
    return tame(raw, this.#number(field))
  }

  /** What one unit of u in the bulk is in units of the decoded value. */
  scaleOf(field: string): number {
    return this.#number(field).scale
  }

  /** What decoded values count where that is not what the column holds. */
  unitOf(field: string): string | null {
    const { since } = this.#number(field)
    return since === null ? null : `seconds since ${since}`
  }

  /** Value of each code of discrete column `column`: undefined for code 0 and for `state` codes without a value. */
  levels(column: number): readonly (Level | undefined)[] {
    const { field, role } = this.layout.discrete[column]
    const number = this.#numbers.get(field)
    if (role === 'state') return [undefined, undefined, null, ...(number?.atoms ?? [])]
    const level = this.state.columns.find((c) => c.kind === 'level' && c.field === field)
    return [undefined, ...(number?.levels ?? (level?.kind === 'level' ? level.levels : []))]
  }

  /** One line per column, for people. */
  describe(): ColumnSummary[] {
    return describeColumns(this.state)
  }

  #number(field: string): NumericState {
    const number = this.#numbers.get(field)
    if (number === undefined)
      throw new SurprisalError(
        'USAGE',
        `"${field}" is not a modelled number column; those are: ${[...this.#numbers.keys()].join(', ')}`,
      )
    return number
  }

  #noteUnseen(batch: RecordBatch, target: EncodeTarget): void {
    const { discrete } = this.layout
    for (const [k, { field, role }] of discrete.entries()) {
      if (role !== 'level' || this.discrete.logMarginal(k, 0) > NOTEWORTHY) continue
      const column = columnNamed(batch, field)
      for (let row = 0, at = k; row < target.rows; row++, at += discrete.length) {
        if (target.codes[at] !== 0) continue
        const value = cell(column, row)
        target.note(
          row,
          value === null
            ? `${field}: was never missing in training, is missing`
            : `${field}: ${shown(value)} was never seen in training`,
        )
      }
    }
  }
}

function encodersOf({ columns, rows }: EncoderState): ColumnEncoder[] {
  const next = { numeric: 0, discrete: 0, context: 0 }
  return columns.map((column) => encoderOf(column, next, logNeverSeen(rows)))
}

/** `next` counts the output columns given out so far, in the order of layoutOf. */
function encoderOf(
  column: ColumnState,
  next: { numeric: number; discrete: number; context: number },
  never: number,
): ColumnEncoder {
  switch (column.kind) {
    case 'numeric':
      return new NumericEncoder(column, next.numeric++, hasState(column) ? next.discrete++ : -1, never)
    case 'level':
      return new LevelEncoder(column, next.discrete++)
    case 'constant':
      return new ConstantEncoder(column, never)
    case 'context-number':
      return new ContextNumberEncoder(column.number, next.context++)
    case 'clock': {
      const at = next.context
      next.context += clockColumns(column).length
      return new ClockEncoder(column, at, never)
    }
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) deepFreeze(part)
  }
  return value
}
