import { describe, expect, it } from 'vitest'
import { SurprisalError } from '../../src/core/errors.ts'
import type { Delivery, LookBack, Source } from '../../src/core/ports.ts'
import { batchOfRows, cell, type RecordBatch } from '../../src/core/record.ts'
import { SILENT } from '../../src/core/telemetry.ts'
import { StreamWindows } from '../../src/features/windows/stream-windows.ts'
import { StreamPast } from '../../src/pipeline/stream-past.ts'
import { StubScorer } from './stub-scorer.ts'

const NEVER = new AbortController().signal

class LookingScorer extends StubScorer {
  readonly lookBack: () => LookBack

  constructor(late = 16) {
    super()
    this.lookBack = () =>
      new StreamWindows({ fields: [{ field: 'x', rolling: [{ size: 3, statistics: ['mean'] }] }], late })
  }
}

/** Record at offset o has x = o. */
function records(from: number, to: number, partition = 0): RecordBatch {
  const rows = Array.from({ length: to - from }, (_, i) => ({ x: from + i }))
  return batchOfRows(rows, { prefix: `t-${partition}`, offsets: { first: from }, topic: 't', partition })
}

function delivery(batch: RecordBatch, revoked = NEVER): Delivery {
  return { batch, rejected: [], revoked, ack: async () => {}, nack: async () => {} }
}

function sourceOf(asked: number[][], before?: Source['before']): Source {
  return {
    name: 'topic',
    open: async () => {},
    deliveries: async function* () {},
    before:
      before ??
      async function* ({ partition, offset }, count) {
        asked.push([partition, offset, count])
        const from = Math.max(0, offset - count)
        if (from < offset) yield records(from, offset, partition)
      },
    [Symbol.asyncDispose]: async () => {},
  }
}

const pastOf = (source: Source, replay = 10) =>
  new StreamPast({ source, replay, signal: NEVER, logger: SILENT })
const means = (batch: RecordBatch): unknown[] =>
  Array.from({ length: batch.rows }, (_, row) => cell(batch.columns.get('mean(x, 3)')!, row))

describe('StreamPast', () => {
  it('reads the past of a partition once, then goes on with it', async () => {
    const asked: number[][] = []
    const past = pastOf(sourceOf(asked))
    const scorer = new LookingScorer()
    const [first, second] = await Promise.all(
      [records(20, 22), records(22, 24)].map((batch) => past.append(scorer, delivery(batch))),
    )
    expect(means(first)).toEqual([18, 19])
    expect(means(second)).toEqual([20, 21])
    expect(asked).toEqual([[0, 20, 10]])
  })

  it('gives a redelivered record the same features, here and in another process', async () => {
    const scorer = new LookingScorer()
    const past = pastOf(sourceOf([]))
    const first = await past.append(scorer, delivery(records(20, 26)))
    const again = await past.append(scorer, delivery(records(22, 26)))
    const elsewhere = await pastOf(sourceOf([])).append(scorer, delivery(records(22, 26)))
    expect(means(again)).toEqual(means(first).slice(2))
    expect(means(elsewhere)).toEqual(means(first).slice(2))
  })

  it('reads it again after a partition was elsewhere, and for a model that looks back on something else', async () => {
    const asked: number[][] = []
    const past = pastOf(sourceOf(asked))
    const gone = new AbortController()
    await past.append(new LookingScorer(), delivery(records(20, 22), gone.signal))
    gone.abort()
    const back = await past.append(new LookingScorer(), delivery(records(40, 41)))
    expect(means(back)).toEqual([38])
    await past.append(new LookingScorer(3), delivery(records(41, 42)))
    expect(asked).toEqual([
      [0, 20, 10],
      [0, 40, 10],
      [0, 41, 6],
    ])
  })

  it('reads no more than can show: the reach of the look-back, and what a partition that comes back has missed', async () => {
    const asked: number[][] = []
    const past = pastOf(sourceOf(asked), 1000)
    const scorer = new LookingScorer()
    const gone = new AbortController()
    await past.append(scorer, delivery(records(50, 60), gone.signal))
    gone.abort()
    const back = new AbortController()
    expect(means(await past.append(scorer, delivery(records(64, 65), back.signal)))).toEqual([62])
    back.abort()
    expect(means(await past.append(scorer, delivery(records(65, 66))))).toEqual([63])
    expect(asked).toEqual([
      [0, 50, 19],
      [0, 64, 4],
    ])
  })

  it('reads the whole reach where what was missed cannot be read, and after a replay that was broken off', async () => {
    const asked: number[] = []
    const [first, second] = [new AbortController(), new AbortController()]
    const before: Source['before'] = async function* ({ offset }, count) {
      asked.push(count)
      if (asked.length === 2) throw new SurprisalError('SERVICE_UNREACHABLE', 'no leader yet')
      if (asked.length === 4) second.abort()
      yield records(offset - count, offset)
    }
    const past = pastOf(sourceOf([], before), 1000)
    const scorer = new LookingScorer()
    await past.append(scorer, delivery(records(50, 60), first.signal))
    first.abort()
    await past.append(scorer, delivery(records(64, 65), second.signal))
    await past.append(scorer, delivery(records(62, 63), second.signal))
    expect(means(await past.append(scorer, delivery(records(70, 71))))).toEqual([68])
    expect(asked).toEqual([19, 4, 19, 19, 19])
  })

  it('keeps partitions apart and asks nothing for files', async () => {
    const asked: number[][] = []
    const past = pastOf(sourceOf(asked))
    const scorer = new LookingScorer()
    await past.append(scorer, delivery(records(5, 6, 0)))
    const other = await past.append(scorer, delivery(records(50, 51, 1)))
    expect(means(other)).toEqual([48])
    const file = batchOfRows([{ x: 1 }], { prefix: 'a.csv', offsets: { first: 0 } })
    expect(means(await past.append(scorer, delivery(file)))).toEqual([null])
    expect(asked).toHaveLength(2)
  })

  it('goes on where the past cannot be read, and where a batch cannot be looked back on', async () => {
    const failing: Source['before'] = async function* () {
      yield* []
      throw new Error('no broker')
    }
    const past = pastOf(sourceOf([], failing))
    const scorer = new LookingScorer()
    expect(means(await past.append(scorer, delivery(records(20, 21))))).toEqual([null])
    const strange = batchOfRows([{ y: 1 }], {
      prefix: 't-0',
      offsets: { first: 21 },
      topic: 't',
      partition: 0,
    })
    expect(await past.append(scorer, delivery(strange))).toBe(strange)
    expect(means(await past.append(scorer, delivery(records(22, 25))))).toEqual([null, null, 65 / 3])
  })

  it('asks again where the source may answer later, and begins afresh then', async () => {
    let attempts = 0
    const flaky: Source['before'] = async function* ({ offset }) {
      yield records(offset - 3, offset)
      if (++attempts < 2) throw new SurprisalError('SERVICE_UNREACHABLE', 'no coordinator yet')
    }
    const past = pastOf(sourceOf([], flaky))
    expect(means(await past.append(new LookingScorer(), delivery(records(20, 21))))).toEqual([18])
    expect(attempts).toBe(2)
  })

  it('leaves a model that looks at each record alone as it is', async () => {
    const batch = records(0, 1)
    expect(await pastOf(sourceOf([])).append(new StubScorer(), delivery(batch))).toBe(batch)
  })
})
