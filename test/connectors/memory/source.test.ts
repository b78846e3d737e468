import { describe, expect, it } from 'vitest'
import { MemoryLog, MemorySource } from '../../../connectors/memory/source.ts'
import { batchOfRows } from '../../../src/core/record.ts'
import { type PlainRecord, sourceSuite } from '../../conformance/source.suite.ts'

sourceSuite('memory', async () => {
  const log = new MemoryLog()
  let records: readonly PlainRecord[] = []
  return {
    async publish(published) {
      records = published
    },
    async start({ rows }) {
      if (log.entries.length === 0)
        for (let first = 0; first < records.length; first += rows)
          log.append(batchOfRows(records.slice(first, first + rows), { prefix: 'log', offsets: { first } }))
      return new MemorySource(log)
    },
    async [Symbol.asyncDispose]() {},
  }
})

describe('MemorySource', () => {
  it('waits for entries and ends when the log ends', async () => {
    const log = new MemoryLog()
    const seen: number[] = []
    const reading = (async () => {
      for await (const { batch } of new MemorySource(log).deliveries(new AbortController().signal))
        seen.push(batch.rows)
    })()
    await new Promise((resolve) => setImmediate(resolve))
    log.append(batchOfRows([{ a: 1 }]))
    log.append(batchOfRows([{ a: 1 }, { a: 2 }]))
    log.end()
    await reading
    expect(seen).toEqual([1, 2])
  })

  it('commits nothing once it is disposed', async () => {
    const log = new MemoryLog()
    log.append(batchOfRows([{ a: 1 }]))
    const source = new MemorySource(log)
    for await (const delivery of source.deliveries(new AbortController().signal)) {
      await source[Symbol.asyncDispose]()
      expect(delivery.revoked.aborted).toBe(true)
      await delivery.ack()
      break
    }
    expect(log.committed).toBe(0)
  })
})
