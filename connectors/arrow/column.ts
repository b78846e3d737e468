import { type Data, type DataType, type Field, Type, type Vector } from 'apache-arrow'
import { isSet, sliceBits, spreadBits } from '../../src/core/bits.ts'
import { SurprisalError } from '../../src/core/errors.ts'
import type { Column, NumberValues, StringColumn } from '../../src/core/record.ts'
import { internUtf8, internViews } from './text.ts'

/** The parts of an Arrow type that a conversion reads; which ones are there depends on typeId. */
type ArrowType = DataType & { unit: number; scale: number; bitWidth: number; precision: number }

/** Milliseconds in a second, a millisecond, a microsecond, a nanosecond: the order of Arrow's TimeUnit. */
const UNIT_MS = [1000, 1, 1e-3, 1e-6]
const DAY_MS = 86_400_000

/** Whether Surprisal reads columns of this type; nested and binary ones it does not. */
export function isSupported(type: DataType): boolean {
  switch (type.typeId) {
    case Type.Null:
    case Type.Int:
    case Type.Float:
    case Type.Bool:
    case Type.Utf8:
    case Type.LargeUtf8:
    case Type.Utf8View:
    case Type.Decimal:
    case Type.Date:
    case Type.Time:
    case Type.Timestamp:
    case Type.Duration:
      return true
    case Type.Dictionary:
      return isSupported((type as unknown as { dictionary: DataType }).dictionary)
    default:
      return false
  }
}

/**
 * Rows [from, from + count) of a column of an Arrow record batch. 64-bit integers, decimals, times of day and
 * durations (both in seconds) become float64; dates and timestamps of every unit become epoch milliseconds.
 * The result owns its buffers.
 */
export function columnOfData(field: Field, data: Data, from: number, count: number): Column {
  const type = data.type as ArrowType
  if (type.typeId === Type.Null) return { kind: 'mixed', values: new Array(count).fill(null) }
  checkLength(field, data, from + count)
  const bitmap = data.nullBitmap
  const validity =
    bitmap && bitmap.length > 0 && data.nullCount !== 0
      ? sliceBits(bitmap, data.offset + from, count)
      : undefined
  const nulls = validity && { validity }
  const values = data.values as NumberValues | BigInt64Array | BigUint64Array
  const part = () => values.subarray(from, from + count)
  switch (type.typeId) {
    case Type.Int:
      return { kind: 'number', values: asNumbers(part()), integer: true, ...nulls }
    case Type.Float:
      return {
        kind: 'number',
        values: type.precision === 0 ? halves(part() as Uint16Array) : asNumbers(part()),
        integer: false,
        ...nulls,
      }
    case Type.Decimal: {
      const integer = type.scale <= 0
      return { kind: 'number', values: decimals(type, data, from, count), integer, ...nulls }
    }
    case Type.Time:
    case Type.Duration:
      return { kind: 'number', values: scaled(part(), UNIT_MS[type.unit] / 1000), integer: false, ...nulls }
    case Type.Bool:
      return {
        kind: 'boolean',
        values: spreadBits(data.values as Uint8Array, data.offset + from, count),
        ...nulls,
      }
    case Type.Date:
      // DateUnit: 0 days, 1 milliseconds.
      return { kind: 'timestamp', values: scaled(part(), type.unit === 0 ? DAY_MS : 1), ...nulls }
    case Type.Timestamp:
      return { kind: 'timestamp', values: scaled(part(), UNIT_MS[type.unit]), ...nulls }
    case Type.Utf8:
    case Type.LargeUtf8: {
      const text = { bytes: data.values as Uint8Array, offsets: data.valueOffsets as Int32Array }
      return internUtf8(text, from, count, validity)
    }
    case Type.Utf8View:
      return internViews(data.values as Uint8Array, data.variadicBuffers, from, count, validity)
    case Type.Dictionary:
      return dictionaryColumn(field, data, from, count, validity)
    default:
      throw unsupported(field)
  }
}

export function unsupported(field: Field): SurprisalError {
  return new SurprisalError(
    'SCHEMA_MISMATCH',
    `column "${field.name}" has the Arrow type ${field.type}, which cannot be scored; leave it out with --ignore ${field.name}`,
  )
}

/** Refuses a column whose buffers hold fewer rows than its header claims, before anything of that size is made. */
function checkLength(field: Field, data: Data, rows: number): void {
  const { type, values, valueOffsets, nullBitmap } = data
  const bits = (8 * (values?.length ?? 0)) / (type.typeId === Type.Bool ? 1 : 8)
  const held =
    type.typeId === Type.Utf8 || type.typeId === Type.LargeUtf8
      ? valueOffsets.length - 1
      : type.typeId === Type.Utf8View
        ? values.length / 16
        : type.typeId === Type.Decimal
          ? values.length / ((type as ArrowType).bitWidth / 32)
          : bits - (type.typeId === Type.Bool ? data.offset : 0)
  const known = nullBitmap && nullBitmap.length > 0 ? nullBitmap.length * 8 - data.offset : rows
  if (rows > held || rows > known) throw corrupt(`column "${field.name}" is shorter than its batch`)
}

export function corrupt(what: string): SurprisalError {
  return new SurprisalError('FILE_FORMAT', what)
}

function asNumbers(values: NumberValues | BigInt64Array | BigUint64Array): NumberValues {
  return values instanceof BigInt64Array || values instanceof BigUint64Array
    ? Float64Array.from(values as BigInt64Array, Number)
    : values.slice()
}

function scaled(values: NumberValues | BigInt64Array | BigUint64Array, factor: number): Float64Array {
  const result = new Float64Array(values.length)
  // Dividing by a power of ten rounds once, multiplying by its inverse twice.
  const divisor = Math.round(1 / factor)
  for (let i = 0; i < result.length; i++)
    result[i] = factor < 1 ? Number(values[i]) / divisor : Number(values[i]) * factor
  return result
}

/** IEEE 754 binary16. */
function halves(values: Uint16Array): Float32Array {
  return Float32Array.from(values, (h) => {
    const sign = h & 0x8000 ? -1 : 1
    const exponent = (h >> 10) & 31
    const fraction = h & 1023
    if (exponent === 0) return sign * fraction * 2 ** -24
    if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
  })
}

/** Little-endian two's complement integers of bitWidth bits, divided by 10^scale. */
function decimals(type: ArrowType, data: Data, from: number, count: number): Float64Array {
  const words = data.values as unknown as Uint32Array
  const width = type.bitWidth / 32
  const unit = 10 ** type.scale
  const result = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    let integer = 0n
    for (let w = width - 1; w >= 0; w--) integer = (integer << 32n) | BigInt(words[(from + i) * width + w])
    result[i] = Number(BigInt.asIntN(type.bitWidth, integer)) / unit
  }
  return result
}

const decoded = new WeakMap<Vector, Column>()

/** The values of a dictionary, decoded once however many batches use it. */
function dictionaryValues(field: Field, dictionary: Vector): Column {
  const known = decoded.get(dictionary)
  if (known !== undefined) return known
  const parts = dictionary.data.map((data) => columnOfData(field, data, 0, data.length))
  const whole = parts.length === 1 ? parts[0] : joinStrings(field, parts)
  decoded.set(dictionary, whole)
  return whole
}

/** Delta dictionaries come in several pieces. */
function joinStrings(field: Field, parts: readonly Column[]): StringColumn {
  const dictionary: string[] = []
  const missing: number[] = []
  for (const part of parts) {
    if (part.kind !== 'string') throw unsupported(field)
    part.codes.forEach((code, i) => {
      if (!isSet(part.validity, i)) missing.push(dictionary.length)
      dictionary.push(part.dictionary[code])
    })
  }
  const validity = new Uint8Array((dictionary.length + 7) >> 3).fill(255)
  for (const i of missing) validity[i >> 3] &= ~(1 << (i & 7))
  return {
    kind: 'string',
    codes: Int32Array.from(dictionary, (_, i) => i),
    dictionary,
    ...(missing.length > 0 && { validity }),
  }
}

function dictionaryColumn(
  field: Field,
  data: Data,
  from: number,
  count: number,
  validity: Uint8Array | undefined,
): Column {
  if (data.dictionary === undefined) throw unsupported(field)
  const values = dictionaryValues(field, data.dictionary)
  const indices = (data.values as NumberValues).subarray(from, from + count)
  const size = data.dictionary.length
  for (let i = 0; i < count; i++)
    if (isSet(validity, i) && !(indices[i] >= 0 && indices[i] < size))
      throw corrupt(`column "${field.name}" points outside its dictionary`)
  if (values.kind === 'mixed') return { kind: 'mixed', values: new Array(count).fill(null) }
  let present = validity
  if (values.validity !== undefined) {
    const bits = validity ?? new Uint8Array((count + 7) >> 3).fill(255)
    for (let i = 0; i < count; i++)
      if (!isSet(values.validity, Number(indices[i]))) bits[i >> 3] &= ~(1 << (i & 7))
    present = bits
  }
  const nulls = present && { validity: present }
  if (values.kind === 'string') {
    const codes = Int32Array.from(indices, (index) => values.codes[Number(index)] ?? 0)
    return { kind: 'string', codes, dictionary: values.dictionary, ...nulls }
  }
  const numbers = Float64Array.from(indices, (index) => values.values[Number(index)] ?? 0)
  if (values.kind === 'boolean') return { kind: 'boolean', values: Uint8Array.from(numbers), ...nulls }
  if (values.kind === 'timestamp') return { kind: 'timestamp', values: numbers, ...nulls }
  return { kind: 'number', values: numbers, integer: values.integer, ...nulls }
}
