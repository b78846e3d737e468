import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  Bool,
  DateDay,
  Decimal,
  Dictionary,
  Field,
  Float16,
  Float64,
  Int16,
  Int32,
  Int64,
  List,
  makeData,
  RecordBatchStreamWriter,
  Table,
  TimeMillisecond,
  type Timestamp,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  tableFromArrays,
  Uint64,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { ArrowFile } from '../../../connectors/arrow/source.ts'
import { MAX_ROWS } from '../../../connectors/files/record-file.ts'
import { type RecordBatch, rowOf } from '../../../src/core/record.ts'
import { temporaryFolder } from '../files/temporary-folder.ts'
import { type WriteArrowOptions, writeArrow } from './write-arrow.ts'

async function read(path: string, wanted = (_: string) => true): Promise<RecordBatch[]> {
  await using file = new ArrowFile(path)
  const batches: RecordBatch[] = []
  for await (const { batch } of file.read(wanted, new AbortController().signal)) batches.push(batch)
  return batches
}

function rowsOf(batches: readonly RecordBatch[]): Record<string, unknown>[] {
  return batches.flatMap((batch) =>
    Array.from({ length: batch.rows }, (_, row) => ({ ...rowOf(batch, row) })),
  )
}

async function roundTrip(data: Parameters<typeof writeArrow>[1], options?: WriteArrowOptions) {
  const path = join(temporaryFolder(), 'in.arrow')
  await writeArrow(path, data, options)
  return rowsOf(await read(path))
}

describe('ArrowFile', () => {
  it('reads every supported type, with nulls where the bitmap says so', async () => {
    const at = Date.UTC(2024, 1, 29, 12, 30, 15, 123)
    const table = new Table({
      i64: vectorFromArray([1n, null, -(2n ** 40n)], new Int64()),
      u64: vectorFromArray([2n ** 53n, 3n, null], new Uint64()),
      i16: vectorFromArray([null, -7, 8], new Int16()),
      f64: vectorFromArray([1.5, null, Number.NEGATIVE_INFINITY], new Float64()),
      flag: vectorFromArray([true, null, false], new Bool()),
      text: vectorFromArray(['é', null, 'é'], new Utf8()),
      kind: vectorFromArray(['x', null, 'y'], new Dictionary(new Utf8(), new Int32())),
      ms: vectorFromArray([at, null, -1], new TimestampMillisecond()),
      day: vectorFromArray([new Date(Date.UTC(2024, 1, 29)), null, new Date(0)], new DateDay()),
    })
    expect(await roundTrip(table)).toEqual([
      {
        i64: 1,
        u64: 2 ** 53,
        i16: null,
        f64: 1.5,
        flag: true,
        text: 'é',
        kind: 'x',
        ms: new Date(at),
        day: new Date(Date.UTC(2024, 1, 29)),
      },
      {
        i64: null,
        u64: 3,
        i16: -7,
        f64: null,
        flag: null,
        text: null,
        kind: null,
        ms: null,
        day: null,
      },
      {
        i64: -(2 ** 40),
        u64: null,
        i16: 8,
        f64: Number.NEGATIVE_INFINITY,
        flag: false,
        text: 'é',
        kind: 'y',
        ms: new Date(-1),
        day: new Date(0),
      },
    ])
  })

  it('turns timestamps of every unit into milliseconds', async () => {
    const raw = <T extends Timestamp>(type: T, value: bigint) =>
      new Vector([makeData({ type, length: 1, data: BigInt64Array.of(value) })])
    const table = new Table({
      s: raw(new TimestampSecond(), 1_700_000_000n),
      us: raw(new TimestampMicrosecond(), 1_700_000_000_123_456n),
      ns: raw(new TimestampNanosecond(), 1_700_000_000_123_456_789n),
    })
    const [row] = await roundTrip(table)
    expect(row).toEqual({
      s: new Date(1_700_000_000_000),
      us: new Date(1_700_000_000_123),
      ns: new Date(1_700_000_000_123),
    })
  })

  it('reads half floats, decimals and times of day', async () => {
    const words = new Uint32Array(8)
    words.set([12345, 0, 0, 0])
    words.set([-12345 >>> 0, 0xffffffff, 0xffffffff, 0xffffffff], 4)
    const table = new Table({
      half: new Vector([makeData({ type: new Float16(), length: 2, data: Uint16Array.of(0x3c00, 0xc100) })]),
      price: new Vector([makeData({ type: new Decimal(2, 10), length: 2, data: words })]),
      clock: new Vector([makeData({ type: new TimeMillisecond(), length: 2, data: Int32Array.of(1500, 0) })]),
    })
    expect(await roundTrip(table)).toEqual([
      { half: 1, price: 123.45, clock: 1.5 },
      { half: -2.5, price: -123.45, clock: 0 },
    ])
  })

  it.each(['file', 'stream'] as const)('reads LZ4 bodies of an IPC %s', async (layout) => {
    const records = Array.from({ length: 2000 }, (_, i) => ({ a: i % 7, b: `v${i % 3}` }))
    expect(await roundTrip(records, { layout, compress: 'lz4' })).toEqual(records)
  })

  it('cuts large batches, with bitmaps that do not begin at a byte', async () => {
    const values = Array.from({ length: MAX_ROWS + 13 }, (_, i) => (i % 3 === 0 ? null : i))
    const path = join(temporaryFolder(), 'in.arrow')
    await writeArrow(path, new Table({ a: vectorFromArray(values, new Float64()) }))
    const batches = await read(path)
    expect(batches.map(({ rows }) => rows)).toEqual([MAX_ROWS, 13])
    expect(batches[1].origin.offsets).toEqual({ first: MAX_ROWS })
    expect(rowsOf(batches).map(({ a }) => a)).toEqual(values)
  })

  it('refuses a nested column by name, unless it is left out', async () => {
    const path = join(temporaryFolder(), 'in.arrow')
    const type = new List(new Field('item', new Float64()))
    await writeArrow(path, new Table({ a: vectorFromArray([1]), nested: vectorFromArray([[1, 2]], type) }))
    await expect(read(path)).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringMatching(/column "nested" has the Arrow type List.*--ignore nested/),
    })
    expect(rowsOf(await read(path, (name) => name === 'a'))).toEqual([{ a: 1 }])
  })

  it('refuses a file at every length that it may be cut to', async () => {
    const folder = temporaryFolder()
    const whole = join(folder, 'whole.arrow')
    await writeArrow(
      whole,
      Array.from({ length: 100 }, (_, i) => ({ a: i, b: `x${i}` })),
    )
    const bytes = readFileSync(whole)
    for (let length = 6; length < bytes.length; length += 37) {
      const path = join(folder, `cut-${length}.arrow`)
      writeFileSync(path, bytes.subarray(0, length))
      await expect(read(path), `${length} bytes`).rejects.toMatchObject({ code: 'FILE_FORMAT' })
    }
  })

  it('never crashes on flipped bytes: rows or a clear refusal', async () => {
    const folder = temporaryFolder()
    const whole = join(folder, 'whole.arrow')
    await writeArrow(
      whole,
      Array.from({ length: 50 }, (_, i) => ({ a: i, b: `x${i % 5}` })),
    )
    const bytes = readFileSync(whole)
    for (let at = 8; at < bytes.length; at += 17) {
      const path = join(folder, `flip-${at}.arrow`)
      const copy = Buffer.from(bytes)
      copy[at] ^= 0xff
      writeFileSync(path, copy)
      const outcome = await read(path).then(
        () => 'read',
        (error) => error.code,
      )
      expect(['read', 'FILE_FORMAT', 'SCHEMA_MISMATCH'], `byte ${at}: ${outcome}`).toContain(outcome)
    }
  })

  it('refuses a stream that changes its schema midway', async () => {
    const path = join(temporaryFolder(), 'in.arrows')
    const part = async (table: Table) => {
      const writer = new RecordBatchStreamWriter()
      writer.writeAll(table)
      return writer.finish().toUint8Array()
    }
    const first = await part(tableFromArrays({ a: Float64Array.of(1, 2) }))
    const second = await part(tableFromArrays({ a: Int32Array.of(1, 2) }))
    const EOS_BYTES = 8
    writeFileSync(path, Buffer.concat([first.subarray(0, first.length - EOS_BYTES), second]))
    await expect(read(path)).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringMatching(/changes its schema midway: .*a: Float64.*a: Int32/),
    })
  })

  it('reads an IPC stream that comes as chunks of bytes', async () => {
    const path = join(temporaryFolder(), 'in.arrows')
    await writeArrow(path, [{ a: 1 }, { a: 2 }], { layout: 'stream' })
    const bytes = readFileSync(path)
    const chunks = (async function* () {
      for (let i = 0; i < bytes.length; i += 100) yield new Uint8Array(bytes.subarray(i, i + 100))
    })()
    await using file = new ArrowFile('stdin', chunks)
    const batches: RecordBatch[] = []
    for await (const { batch } of file.read(() => true, new AbortController().signal)) batches.push(batch)
    expect(rowsOf(batches)).toEqual([{ a: 1 }, { a: 2 }])
  })
})
