import { parseTime } from '../../core/parse-time.ts'
import { type Column, isValid, type NumberColumn, type StringColumn } from '../../core/record.ts'
import { parseNumber } from '../columns/text.ts'
import type { Level } from '../encoded.ts'

/** More distinct numbers than this and a column is no candidate for levels. */
export const FEW = 64
/** Distinct texts that are counted one by one. */
export const MOST_TEXTS = 1_000_000

/** Which rows of a batch go to which slots of the sample. */
export interface Picks {
  readonly rows: readonly number[]
  readonly slots: readonly number[]
}

/** What one pass over a column gathers, whatever the types of its batches. */
export class ColumnScan {
  rows = 0
  missing = 0
  nan = 0
  infinite = 0
  min = Number.POSITIVE_INFINITY
  max = Number.NEGATIVE_INFINITY
  readonly kinds = { number: 0, boolean: 0, string: 0, timestamp: 0, other: 0 }
  /** Declared an integer type, or whole numbers only. */
  whole = true
  /** Every value is larger than the one before. */
  increasing = true
  /** Any batch holds double-precision values, whose rounding is finer. */
  single = true
  readonly numbers = new Map<number, number>()
  readonly texts = new Map<string, number>()
  readonly booleans: [number, number] = [0, 0]
  textsOverflow = false
  /** Sampled values as numbers (timestamps in ms; texts that parse as numbers or times), NaN where there is none. */
  readonly sample: Float64Array
  #last = Number.NEGATIVE_INFINITY

  readonly #distinctLimit: number

  constructor(sampleSize: number, rowsBefore: number, distinctLimit: number) {
    this.#distinctLimit = distinctLimit
    this.sample = new Float64Array(sampleSize).fill(Number.NaN)
    this.rows = rowsBefore
    this.missing = rowsBefore
  }

  scan(column: Column, rows: number, picks: Picks): void {
    this.rows += rows
    if (column.kind === 'number') this.#numbers(column, rows)
    else if (column.kind === 'timestamp')
      this.#numbers({ ...column, kind: 'number', integer: true }, rows, true)
    else if (column.kind === 'string') this.#texts(column, rows)
    else if (column.kind === 'boolean') {
      for (let i = 0; i < rows; i++) this.#value(isValid(column.validity, i) ? column.values[i] !== 0 : null)
    } else for (let i = 0; i < rows; i++) this.#value(column.values[i])
    this.#pick(column, picks)
  }

  absent(rows: number, picks: Picks): void {
    this.rows += rows
    this.missing += rows
    for (const slot of picks.slots) this.sample[slot] = Number.NaN
  }

  #numbers({ values, validity }: NumberColumn, rows: number, time = false): void {
    if (!(values instanceof Float32Array)) this.single = false
    const full = validity === undefined
    let present = 0
    for (let i = 0; i < rows; i++) {
      if (!full && !isValid(validity, i)) continue
      present++
      this.#number(values[i])
    }
    this.missing += rows - present
    this.kinds[time ? 'timestamp' : 'number'] += present
  }

  #number(x: number): void {
    if (x - x !== 0) {
      if (Number.isNaN(x)) this.nan++
      else this.infinite++
      this.increasing = false
      return
    }
    if (x < this.min) this.min = x
    if (x > this.max) this.max = x
    if (x <= this.#last) this.increasing = false
    this.#last = x
    if (this.whole && x !== Math.floor(x)) this.whole = false
    if (this.numbers.size <= this.#distinctLimit) this.numbers.set(x, (this.numbers.get(x) ?? 0) + 1)
  }

  #texts({ codes, dictionary, validity }: StringColumn, rows: number): void {
    const counts = new Uint32Array(dictionary.length)
    let present = 0
    for (let i = 0; i < rows; i++) {
      if (validity !== undefined && !isValid(validity, i)) continue
      counts[codes[i]]++
      present++
    }
    this.missing += rows - present
    this.kinds.string += present
    for (let c = 0; c < counts.length; c++) if (counts[c] > 0) this.#text(dictionary[c], counts[c])
  }

  #text(value: string, count: number): void {
    const known = this.texts.get(value)
    if (known !== undefined) this.texts.set(value, known + count)
    else if (this.texts.size < MOST_TEXTS) this.texts.set(value, count)
    else this.textsOverflow = true
  }

  #value(value: unknown): void {
    if (value === null || value === undefined) this.missing++
    else if (typeof value === 'number') {
      this.kinds.number++
      this.single = false
      this.#number(value)
    } else if (typeof value === 'boolean') {
      this.kinds.boolean++
      this.booleans[value ? 1 : 0]++
    } else if (typeof value === 'string') {
      this.kinds.string++
      this.#text(value, 1)
    } else if (value instanceof Date) {
      this.kinds.timestamp++
      this.single = false
      this.#number(value.getTime())
    } else this.kinds.other++
  }

  #pick(column: Column, { rows, slots }: Picks): void {
    const parsed = new Map<string, number>()
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]
      this.sample[slots[i]] = sampled(column, row, parsed)
    }
  }

  /** Levels with their counts, most frequent first, ties in the order of the values. */
  levels(): { value: Level; count: number }[] {
    const all: { value: Level; count: number }[] = []
    for (const [value, count] of this.texts) all.push({ value, count })
    if (this.numbers.size <= this.#distinctLimit)
      for (const [value, count] of this.numbers) all.push({ value, count })
    for (const value of [false, true]) {
      const count = this.booleans[value ? 1 : 0]
      if (count > 0) all.push({ value, count })
    }
    if (this.missing > 0) all.push({ value: null, count: this.missing })
    return all.sort((a, b) => b.count - a.count || compare(a.value, b.value))
  }
}

function compare(a: Level, b: Level): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return String(a) < String(b) ? -1 : 1
}

function sampled(column: Column, row: number, parsed: Map<string, number>): number {
  if (column.kind !== 'mixed' && !isValid(column.validity, row)) return Number.NaN
  let value: unknown = column.kind === 'string' ? column.dictionary[column.codes[row]] : column.values[row]
  if (value instanceof Date) value = value.getTime()
  if (typeof value === 'string') {
    let number = parsed.get(value)
    if (number === undefined) {
      number = parseNumber(value)
      if (Number.isNaN(number)) number = parseTime(value)
      parsed.set(value, number)
    }
    return number
  }
  return typeof value === 'number' && Number.isFinite(value) ? value : Number.NaN
}
