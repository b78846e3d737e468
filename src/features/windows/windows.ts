import { SurprisalError } from '../../core/errors.ts'
import { type Column, cell, columnNamed, isValid, type RecordBatch } from '../../core/record.ts'
import { numberReader, PRESENT, type ReadNumbers, timeReader } from '../columns/read-numbers.ts'
import { History } from './history.ts'
import { RunningClock } from './running-clock.ts'
import { Season } from './season.ts'
import {
  type AddedColumn,
  addedColumns,
  checkWindowSpec,
  lookBack,
  WINDOW_DEFAULTS,
  type WindowField,
  type WindowSpec,
} from './window-spec.ts'

interface Entity {
  readonly fields: readonly { readonly history: History; readonly seasons: readonly Season[] }[]
  /** Latest event time; a record without one stands at it. */
  latest: number
}

/** The earliest time that a Date holds. */
const EARLIEST = -8.64e15

/**
 * Adds columns that look back per entity: lags, differences, rolling statistics, seasonal lags, the time since the
 * entity's previous record, and the time from the stream's own clock (WindowSpec says which). Files and streams run the
 * same code, record by record, so that batches may be cut anywhere.
 *
 * A record sees those of its entity whose event time is not after its own, whatever the order of arrival, as far as
 * they are kept (the longest look-back and `late` more); records that were scored before a late one came stay as they
 * are. Missing and non-finite values enter no history. Where the past does not reach back far enough the column is
 * missing. Memory is bounded by `entities`.
 */
export class Windows {
  /** The added columns. */
  readonly columns: readonly AddedColumn[]
  readonly #spec: WindowSpec
  readonly #cap: number
  readonly #late: number
  readonly #entities = new Map<string, Entity>()
  readonly #clock = new RunningClock()

  /** Throws CONFIG_INVALID for a spec out of range. */
  constructor(spec: WindowSpec) {
    checkWindowSpec(spec)
    this.#spec = spec
    this.#cap = spec.entities ?? WINDOW_DEFAULTS.entities
    this.#late = spec.late ?? WINDOW_DEFAULTS.late
    this.columns = addedColumns(spec)
  }

  /** The batch with the window columns beside its own; its records enter the history. */
  append(batch: RecordBatch): RecordBatch {
    for (const { name } of this.columns)
      if (batch.columns.has(name))
        throw new SurprisalError(
          'SCHEMA_MISMATCH',
          `column "${name}" is in the data and made by windows; rename it`,
        )
    const { fields, sincePrevious, clock, time } = this.#spec
    const inputs = fields.map(({ field }) => finiteValues(batch, field))
    const times = eventTimes(batch, time)
    const entityOf = entityReader(batch, this.#spec.entity)
    const added = this.columns.map(() => new Float64Array(batch.rows))
    const perEntity = fields.length > 0 || sincePrevious
    for (let row = 0; row < batch.rows; row++) {
      const stated = times?.[row] ?? Number.NaN
      const known = Number.isFinite(stated)
      let at = perEntity ? this.#lookBack(this.#touch(entityOf(row)), stated, inputs, row, added) : 0
      if (!clock) continue
      added[at++][row] = this.#clock.offset(stated) / 1000
      if (known) this.#clock.advance(stated)
    }
    const columns = new Map(batch.columns)
    for (const [i, { name }] of this.columns.entries()) columns.set(name, withHoles(added[i]))
    return { ...batch, columns }
  }

  /** Writes the entity's columns of a record and enters it; returns how many columns these are. */
  #lookBack(
    entity: Entity,
    stated: number,
    inputs: readonly Float64Array[],
    row: number,
    added: readonly Float64Array[],
  ): number {
    const known = Number.isFinite(stated)
    const { latest } = entity
    const time = known ? stated : latest
    if (time > latest) entity.latest = time
    let at = 0
    for (const [f, field] of this.#spec.fields.entries()) {
      const { history, seasons } = entity.fields[f]
      const value = inputs[f][row]
      const place = history.placeOf(time)
      for (const k of field.lags ?? []) added[at++][row] = history.lag(place, k)
      for (const k of field.differences ?? []) added[at++][row] = value - history.lag(place, k)
      for (const extent of field.rolling ?? []) {
        const from = history.start(place, time, extent)
        for (const name of extent.statistics) added[at++][row] = history.statistic(from, place, name)
      }
      for (const season of seasons) added[at++][row] = known ? season.at(time) : Number.NaN
      if (Number.isNaN(value)) continue
      history.insert(place, time, value)
      if (known) for (const season of seasons) season.insert(time, value)
    }
    if (this.#spec.sincePrevious)
      added[at++][row] = latest === EARLIEST ? Number.NaN : (stated - latest) / 1000
    return at
  }

  /** The entity, now the one seen last; a new one takes the place of the one unseen for longest. */
  #touch(key: string): Entity {
    const known = this.#entities.get(key)
    if (known !== undefined) {
      this.#entities.delete(key)
      this.#entities.set(key, known)
      return known
    }
    if (this.#entities.size >= this.#cap) {
      const [oldest] = this.#entities.keys()
      this.#entities.delete(oldest)
    }
    const fresh = this.#entity()
    this.#entities.set(key, fresh)
    return fresh
  }

  /** How many entities are remembered. */
  get entities(): number {
    return this.#entities.size
  }

  #entity(): Entity {
    const fields = this.#spec.fields.map((field) => ({
      history: new History(this.#capacity(field)),
      seasons: (field.seasonal ?? []).map((season) => new Season(season)),
    }))
    return { fields, latest: EARLIEST }
  }

  #capacity(field: WindowField): number {
    const longest = lookBack(field)
    return longest === 0 ? 0 : longest + this.#late
  }
}

/** The column's finite numbers, NaN elsewhere; what does not fit is the encoder's to report. */
export function finiteValues(batch: RecordBatch, field: string): Float64Array {
  if (batch.rows === 0) return new Float64Array(0)
  return finite(
    batch.rows,
    numberReader(columnNamed(batch, field), field, true, () => {}),
  )
}

/** Milliseconds since the epoch, NaN where there is no time: of the named column, else the batch's event time. */
export function eventTimes(batch: RecordBatch, time: string | undefined): Float64Array | undefined {
  if (time === undefined) return batch.eventTime
  return finite(
    batch.rows,
    timeReader(columnNamed(batch, time), time, true, () => {}),
  )
}

function finite(rows: number, read: ReadNumbers): Float64Array {
  const values = new Float64Array(rows)
  if (rows === 0) return values
  const status = new Uint8Array(rows)
  const holes = read(0, rows, values, status)
  for (let row = 0; row < rows; row++)
    if ((holes && status[row] !== PRESENT) || !Number.isFinite(values[row])) values[row] = Number.NaN
  return values
}

/** Names the entity of a row; '' where it has none. */
function entityReader(batch: RecordBatch, entity: string | undefined): (row: number) => string {
  if (entity === undefined) return (row) => batch.entity?.[row] ?? ''
  const column = columnNamed(batch, entity)
  if (column.kind !== 'string') return (row) => String(cell(column, row) ?? '')
  const { codes, dictionary, validity } = column
  return (row) => (isValid(validity, row) ? dictionary[codes[row]] : '')
}

/** A number column that is missing where the value is not finite. */
export function withHoles(values: Float64Array): Column {
  const validity = new Uint8Array((values.length + 7) >> 3)
  let holes = false
  for (let row = 0; row < values.length; row++) {
    if (Number.isFinite(values[row])) validity[row >> 3] |= 1 << (row & 7)
    else holes = true
  }
  return { kind: 'number', values, integer: false, ...(holes && { validity }) }
}
