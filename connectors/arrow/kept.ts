import {
  Bool,
  type Data,
  type DataType,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  makeData,
  TimestampMillisecond,
  Type,
  Uint8,
  Uint16,
  Uint32,
  Utf8,
} from 'apache-arrow'
import { type Column, cell, type NumberValues } from '../../src/core/record.ts'
import { booleans, nulls, texts, times } from './build.ts'

type Kept = Column | undefined

/** The Arrow type in which an input column is kept; mixed values are kept as text. */
export function keptType(column: Kept): DataType {
  switch (column?.kind) {
    case 'number':
      return numberType(column.values)
    case 'boolean':
      return new Bool()
    case 'timestamp':
      return new TimestampMillisecond('UTC')
    default:
      return new Utf8()
  }
}

function numberType(values: NumberValues): DataType {
  if (values instanceof Float32Array) return new Float32()
  if (values instanceof Int32Array) return new Int32()
  if (values instanceof Uint32Array) return new Uint32()
  if (values instanceof Int16Array) return new Int16()
  if (values instanceof Uint16Array) return new Uint16()
  if (values instanceof Int8Array) return new Int8()
  if (values instanceof Uint8Array) return new Uint8()
  return new Float64()
}

/** An input column as Arrow data of the type chosen at the first batch; a value that is not of it is missing. */
export function keptData(column: Kept, type: DataType, rows: number): Data {
  if (column?.kind === 'number' && numberType(column.values).toString() === type.toString()) {
    const nulls = column.validity && { nullBitmap: column.validity, nullCount: -1 }
    return makeData({ type: type as Float64, length: rows, data: column.values, ...nulls })
  }
  const values = Array.from({ length: rows }, (_, row) => (column === undefined ? null : cell(column, row)))
  switch (type.typeId) {
    case Type.Bool:
      return booleans(
        Uint8Array.from(values, (v) => (v === true ? 1 : 0)),
        present(values, 'boolean'),
      )
    case Type.Timestamp:
      return times(
        type as TimestampMillisecond,
        Float64Array.from(values, (v) => (v instanceof Date ? v.getTime() : Number.NaN)),
      )
    case Type.Utf8:
      return texts(rows, (row) => textOf(values[row]))
    default: {
      const numbers: NumberValues = new type.ArrayType(rows)
      for (let row = 0; row < rows; row++) numbers[row] = Number(values[row])
      return makeData({
        type: type as Float64,
        length: rows,
        data: numbers as Float64Array,
        ...nulls(present(values, 'number')),
      })
    }
  }
}

function present(values: readonly unknown[], type: 'boolean' | 'number'): number[] {
  return values.map((value) => (typeof value === type ? 1 : 0))
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return value
  return value instanceof Date ? value.toISOString() : JSON.stringify(value)
}
