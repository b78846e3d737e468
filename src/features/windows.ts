import { SurprisalError } from '../core/errors.ts'
import { type Column, columnNamed, type RecordBatch } from '../core/record.ts'
import { History, type SavedHistory } from './history.ts'
import { numberReader, PRESENT } from './read-numbers.ts'
import { type SavedSeason, Season } from './season.ts'
import {
  checkWindowSpec,
  lookBack,
  WINDOW_DEFAULTS,
  type WindowField,
  type WindowSpec,
  windowColumns,
} from './window-spec.ts'

/** What a restart needs to go on. Plain JSON; entities in the order of their last record. */
export interface WindowState {
  readonly version: 1
  readonly entities: readonly (readonly [key: string, fields: readonly SavedField[], latest: number])[]
}
export interface SavedField {
  readonly history: SavedHistory
  readonly seasons: readonly SavedSeason[]
}

interface Entity {
  readonly fields: readonly { readonly history: History; readonly seasons: readonly Season[] }[]
  /** Latest event time; a record without one stands at it. */
  latest: number
}

/** The earliest time that a Date holds. */
const EARLIEST = -8.64e15

/**
 * Adds columns that look back per entity: lags, differences, rolling statistics, seasonal lags (WindowField says
 * which). Files and streams run the same code, record by record, so that batches may be cut anywhere.
 *
 * A record sees those of its entity whose event time is not after its own, whatever the order of arrival, as far as
 * they are kept (the longest look-back and `late` more); records that were scored before a late one came stay as they
 * are. Missing and non-finite values enter no history. Where the past does not reach back far enough the column is
 * missing. Memory is bounded by `entities`.
 */
export class Windows {
  /** Names of the added columns. */
  readonly columns: readonly string[]
  readonly #spec: WindowSpec
  readonly #cap: number
  readonly #late: number
  readonly #entities = new Map<string, Entity>()

  /** Throws CONFIG_INVALID for a spec out of range, MODEL_VERSION_UNSUPPORTED for a state of a newer format. */
  constructor(spec: WindowSpec, state?: WindowState) {
    checkWindowSpec(spec)
    this.#spec = spec
    this.#cap = spec.entities ?? WINDOW_DEFAULTS.entities
    this.#late = spec.late ?? WINDOW_DEFAULTS.late
    this.columns = spec.fields.flatMap(windowColumns)
    if (state === undefined) return
    if (state.version !== 1)
      throw new SurprisalError(
        'MODEL_VERSION_UNSUPPORTED',
        `window state has version ${state.version}; this program reads version 1`,
      )
    for (const [key, fields, latest] of state.entities) this.#entities.set(key, this.#entity(latest, fields))
  }

  /** The batch with the window columns beside its own; its records enter the history. */
  append(batch: RecordBatch): RecordBatch {
    for (const name of this.columns)
      if (batch.columns.has(name))
        throw new SurprisalError(
          'SCHEMA_MISMATCH',
          `column "${name}" is in the data and made by windows; rename it`,
        )
    const inputs = this.#spec.fields.map(({ field }) => finiteValues(batch, field))
    const added = this.columns.map(() => new Float64Array(batch.rows))
    for (let row = 0; row < batch.rows; row++) {
      const entity = this.#touch(batch.entity?.[row] ?? '')
      const stated = batch.eventTime?.[row] ?? Number.NaN
      const time = Number.isFinite(stated) ? stated : entity.latest
      if (time > entity.latest) entity.latest = time
      let at = 0
      for (const [f, field] of this.#spec.fields.entries()) {
        const { history, seasons } = entity.fields[f]
        const value = inputs[f][row]
        const place = history.placeOf(time)
        for (const k of field.lags ?? []) added[at++][row] = history.lag(place, k)
        for (const k of field.differences ?? []) added[at++][row] = value - history.lag(place, k)
        for (const { size, statistics } of field.rolling ?? [])
          for (const name of statistics) added[at++][row] = history.statistic(place, size, name)
        for (const season of seasons)
          added[at++][row] = Number.isFinite(stated) ? season.at(time) : Number.NaN
        if (Number.isNaN(value)) continue
        history.insert(place, time, value)
        if (Number.isFinite(stated)) for (const season of seasons) season.insert(time, value)
      }
    }
    const columns = new Map(batch.columns)
    for (const [i, name] of this.columns.entries()) columns.set(name, withHoles(added[i]))
    return { ...batch, columns }
  }

  state(): WindowState {
    return {
      version: 1,
      entities: [...this.#entities].map(([key, { fields, latest }]) => [
        key,
        fields.map(({ history, seasons }) => ({
          history: history.save(),
          seasons: seasons.map((season) => season.save()),
        })),
        latest,
      ]),
    }
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
    const fresh = this.#entity(EARLIEST)
    this.#entities.set(key, fresh)
    return fresh
  }

  #entity(latest: number, saved?: readonly SavedField[]): Entity {
    const fields = this.#spec.fields.map((field, f) => ({
      history: new History(this.#capacity(field), saved?.[f]?.history),
      seasons: (field.seasonal ?? []).map((season, s) => new Season(season, saved?.[f]?.seasons[s])),
    }))
    return { fields, latest }
  }

  #capacity(field: WindowField): number {
    const longest = lookBack(field)
    return longest === 0 ? 0 : longest + this.#late
  }
}

/** The column's finite numbers, NaN elsewhere; what does not fit is the encoder's to report. */
function finiteValues(batch: RecordBatch, field: string): Float64Array {
  const values = new Float64Array(batch.rows)
  if (batch.rows === 0) return values
  const status = new Uint8Array(batch.rows)
  const read = numberReader(columnNamed(batch, field), field, false, () => {})
  const holes = read(0, batch.rows, values, status)
  for (let row = 0; row < batch.rows; row++)
    if ((holes && status[row] !== PRESENT) || !Number.isFinite(values[row])) values[row] = Number.NaN
  return values
}

/** A number column that is missing where the value is not finite. */
function withHoles(values: Float64Array): Column {
  const validity = new Uint8Array((values.length + 7) >> 3)
  let holes = false
  for (let row = 0; row < values.length; row++) {
    if (Number.isFinite(values[row])) validity[row >> 3] |= 1 << (row & 7)
    else holes = true
  }
  return { kind: 'number', values, integer: false, ...(holes && { validity }) }
}
