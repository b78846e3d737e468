import { parseTime } from '../../core/parse-time.ts'
import { type Column, isValid, type NumberValues } from '../../core/record.ts'
import { parseNumber, shown } from './text.ts'

/** What a cell holds, beside its value. */
export const PRESENT = 0
export const MISSING = 1
export const UNREADABLE = 2

/**
 * Reads rows [from, to) into values[0 …] and status[0 …]; false says that all are PRESENT and status was not written.
 * A present value may be NaN or infinite.
 */
export type ReadNumbers = (from: number, to: number, values: Float64Array, status: Uint8Array) => boolean
/** Takes the reason why a row cannot be scored. */
export type Reject = (row: number, reason: string) => void

/** Numbers of a column; text is parsed only where the column was learned from text. */
export function numberReader(column: Column, field: string, text: boolean, reject: Reject): ReadNumbers {
  switch (column.kind) {
    case 'number':
      return direct(column.values, column.validity)
    case 'string':
      return each(column, field, 'a number', reject, lookup(column.dictionary, text ? parseNumber : refuse))
    default:
      return each(column, field, 'a number', reject, (value) =>
        typeof value === 'number'
          ? value
          : text && typeof value === 'string'
            ? present(parseNumber(value))
            : undefined,
      )
  }
}

/** Points in time, in milliseconds; numbers count only where the column was learned from numbers. */
export function timeReader(column: Column, field: string, numbers: boolean, reject: Reject): ReadNumbers {
  if (column.kind === 'timestamp' || (numbers && column.kind === 'number'))
    return direct(column.values, column.validity)
  if (column.kind === 'string')
    return each(column, field, A_TIME, reject, lookup(column.dictionary, parseTime))
  return each(column, field, A_TIME, reject, (value) => {
    if (value instanceof Date) return value.getTime()
    if (typeof value === 'string') return present(parseTime(value))
    return numbers && typeof value === 'number' ? value : undefined
  })
}

const A_TIME = 'a time (write ISO 8601, or the month as a word)'

const refuse = (): number => Number.NaN
const present = (x: number): number | undefined => (Number.isNaN(x) ? undefined : x)

function direct(values: NumberValues, validity: Uint8Array | undefined): ReadNumbers {
  return (from, to, out, status) => {
    out.set(values.subarray(from, to))
    if (validity === undefined) return false
    let any = 0
    for (let i = from; i < to; i++) {
      const missing = ((validity[i >> 3] >> (i & 7)) & 1) ^ 1
      status[i - from] = missing
      any |= missing
    }
    return any !== 0
  }
}

function lookup(
  dictionary: readonly string[],
  parse: (text: string) => number,
): (value: unknown, code: number) => number | undefined {
  const parsed = dictionary.map(parse)
  return (_, code) => present(parsed[code])
}

function each(
  column: Column,
  field: string,
  wanted: string,
  reject: Reject,
  read: (value: unknown, code: number) => number | undefined,
): ReadNumbers {
  return (from, to, out, status) => {
    for (let row = from; row < to; row++) {
      const there = column.kind === 'mixed' || isValid(column.validity, row)
      const code = column.kind === 'string' ? column.codes[row] : -1
      const value = !there ? null : column.kind === 'string' ? column.dictionary[code] : column.values[row]
      const i = row - from
      if (value === null || value === undefined) {
        status[i] = MISSING
        continue
      }
      const meant =
        column.kind === 'boolean' ? value !== 0 : column.kind === 'timestamp' ? new Date(+value) : value
      const x = read(meant, code)
      status[i] = x === undefined ? UNREADABLE : PRESENT
      if (x === undefined) reject(row, `${field}: ${shown(meant)} is not ${wanted}`)
      else out[i] = x
    }
    return true
  }
}
