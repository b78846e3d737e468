import type { Column, RecordBatch } from '../../core/record.ts'

/**
 * Copies what a scoring thread needs of a batch into buffers of their own, so that views do not drag theirs along; its
 * entities where calibration asks for them.
 */
export function wireBatch(batch: RecordBatch, fields: ReadonlySet<string>, named = false): RecordBatch {
  const columns = new Map<string, Column>()
  for (const [name, column] of batch.columns) if (fields.has(name)) columns.set(name, wireColumn(column))
  const { offsets } = batch.origin
  return {
    rows: batch.rows,
    columns,
    origin: {
      prefix: batch.origin.prefix,
      offsets: 'first' in offsets ? offsets : offsets.slice(),
    },
    ...(batch.eventTime && { eventTime: batch.eventTime.slice() }),
    ...(named && batch.entity && { entity: batch.entity }),
  }
}

/** The buffers of a wired batch, to be handed over instead of copied again. */
export function buffersOf(batch: RecordBatch): ArrayBuffer[] {
  const buffers: ArrayBuffer[] = []
  const add = (view: ArrayBufferView | undefined) => {
    if (view?.buffer instanceof ArrayBuffer) buffers.push(view.buffer)
  }
  for (const column of batch.columns.values()) {
    if (column.kind === 'mixed') continue
    add(column.kind === 'string' ? column.codes : column.values)
    add(column.validity)
  }
  add(batch.eventTime)
  if (!('first' in batch.origin.offsets)) add(batch.origin.offsets)
  return buffers
}

function wireColumn(column: Column): Column {
  if (column.kind === 'mixed') return { kind: 'mixed', values: column.values.map(cloneable) }
  const held = column.validity === undefined ? {} : { validity: column.validity.slice() }
  if (column.kind !== 'string') return { ...column, values: column.values.slice(), ...held } as Column
  return column.dictionary.length > 2 * column.codes.length
    ? { ...compacted(column.codes, column.dictionary), ...held }
    : { ...column, codes: column.codes.slice(), ...held }
}

/** Of a large dictionary only what this batch uses. */
function compacted(codes: Int32Array, dictionary: readonly string[]): Column {
  const index = new Map<number, number>()
  const mapped = codes.map((code) => {
    const known = index.get(code)
    if (known !== undefined) return known
    index.set(code, index.size)
    return index.size - 1
  })
  return { kind: 'string', codes: mapped, dictionary: Array.from(index.keys(), (code) => dictionary[code]) }
}

/** No scoring rule looks into objects and functions, and not all of them can change threads. */
function cloneable(value: unknown): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') return {}
  if (typeof value === 'object' && value !== null && !(value instanceof Date)) return {}
  return value
}
