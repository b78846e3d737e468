import {
  CompressionType,
  RecordBatchFileWriter,
  RecordBatchStreamWriter,
  type RecordBatchWriter,
  Table,
  tableFromArrays,
  tableFromIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { registerCodecs } from '../../connectors/arrow/compression.ts'
import { type ServedApi, serveApi } from './served-api.ts'

const STREAM = 'application/vnd.apache.arrow.stream'
const FILE = 'application/vnd.apache.arrow.file'
const URL = '/api/v1/pipelines/orders/score'

let served: ServedApi
beforeAll(async () => {
  served = await serveApi({ body_limit: 2 * 1024 * 1024 })
})
afterAll(() => served[Symbol.asyncDispose]())

const orders = (rows: number) =>
  new Table({
    amount: vectorFromArray(Float64Array.from({ length: rows }, (_, i) => i)),
    currency: vectorFromArray(
      Array.from({ length: rows }, (_, i) => (i % 2 === 0 ? 'EUR' : 'USD')),
      new Utf8(),
    ),
  }) as Table

async function bytesOf(writer: RecordBatchWriter, ...tables: Table[]): Promise<Buffer> {
  for (const table of tables) for (const batch of table.batches) writer.write(batch)
  writer.finish()
  return Buffer.from(await writer.toUint8Array())
}

const post = (payload: Buffer | object, type: string, accept = 'application/json') =>
  served.api.inject({ method: 'POST', url: URL, payload, headers: { 'content-type': type, accept } })

describe('records posted as Arrow', () => {
  it('are scored from a stream and from a file, through all record batches', async () => {
    const table = orders(30).concat(orders(20))
    for (const [writer, type] of [
      [new RecordBatchStreamWriter(), STREAM],
      [new RecordBatchFileWriter(), FILE],
    ] as const) {
      const answer = await post(await bytesOf(writer, table), type)
      expect(answer.statusCode, answer.body).toBe(200)
      const { items } = answer.json()
      expect(items.map(({ id }: { id: string }) => id)).toEqual(
        Array.from({ length: 50 }, (_, i) => `posted-${i}`),
      )
      expect(items[0]).toMatchObject({ pipeline: 'orders', run_id: 'ad-hoc' })
    }
  })

  it('are answered in Arrow where that is asked for, and so is JSON', async () => {
    const body = await bytesOf(new RecordBatchStreamWriter(), orders(30))
    const inJson = (await post(body, STREAM)).json().items
    for (const [payload, type] of [
      [body, STREAM],
      [inJson.map(() => ({ amount: 1, currency: 'EUR' })), 'application/json'],
    ] as const) {
      const answer = await post(payload, type, STREAM)
      expect(answer.statusCode).toBe(200)
      expect(answer.headers['content-type']).toBe(STREAM)
      const table = tableFromIPC(answer.rawPayload)
      expect(table.numRows).toBe(30)
      for (const [row, item] of inJson.entries()) {
        expect(table.get(row)?.id).toBe(item.id)
        expect(table.get(row)?.p_value).toBe(item.p_value)
      }
    }
  })

  it('are refused where they are broken, cut off, compressed, too many or of no scorable type', async () => {
    registerCodecs()
    const stream = await bytesOf(new RecordBatchStreamWriter(), orders(100))
    const file = await bytesOf(new RecordBatchFileWriter(), orders(100))
    const lz4 = { compressionType: CompressionType.LZ4_FRAME } as never
    const packed = await bytesOf(new RecordBatchStreamWriter(lz4), orders(100))
    const nested = tableFromArrays({ amount: [[1], [2]] }) as Table
    const cases: [Buffer, string, number][] = [
      [Buffer.alloc(0), STREAM, 422],
      [Buffer.from('amount,currency\n3,EUR\n'), STREAM, 422],
      [stream.subarray(0, stream.length - 300), STREAM, 422],
      [file.subarray(0, file.length - 40), FILE, 422],
      [packed, STREAM, 422],
      [await bytesOf(new RecordBatchStreamWriter(), nested), STREAM, 422],
      [await bytesOf(new RecordBatchStreamWriter(), orders(100_001)), STREAM, 422],
      [Buffer.alloc(2 * 1024 * 1024 + 1), STREAM, 413],
      [stream, 'application/x-parquet', 415],
    ]
    for (const [body, type, status] of cases) {
      const answer = await post(body, type)
      expect(answer.statusCode, answer.body).toBe(status)
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
      expect(answer.json()).toMatchObject({ status, code: expect.any(String), detail: expect.any(String) })
    }
    expect((await post(packed, STREAM)).json().detail).toContain('compressed')
  })

  it('never bring down the server, whichever bytes are damaged', async () => {
    const body = await bytesOf(new RecordBatchStreamWriter(), orders(40))
    await fc.assert(
      fc.asyncProperty(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const damaged = Buffer.from(body)
        damaged[at] ^= change
        const { statusCode } = await post(damaged, STREAM)
        expect(statusCode).toBeLessThan(500)
      }),
      { numRuns: 60, seed: 7, endOnFailure: true },
    )
    expect((await post(body, STREAM)).statusCode).toBe(200)
  })
})

describe('records posted as JSON', () => {
  it('are refused where they share so few fields that their table would fill the memory', async () => {
    const wide = (records: number) => Array.from({ length: records }, (_, i) => ({ [`field${i}`]: i }))
    const answer = await post(wide(10_000), 'application/json')
    expect(answer.statusCode).toBe(400)
    expect(answer.json().detail).toMatch(
      /^10000 records with \d+ different fields or more make a table of over 4000000 cells/,
    )
    expect((await post(wide(50), 'application/json')).statusCode).toBe(200)
  })
})
