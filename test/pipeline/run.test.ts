import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { MemorySink } from '../../connectors/memory/sink.ts'
import { MemoryLog, MemorySource } from '../../connectors/memory/source.ts'
import { SurprisalError } from '../../src/core/errors.ts'
import type { DeadLetters, RejectedRecord } from '../../src/core/ports.ts'
import { batchOfRows, columnNamed } from '../../src/core/record.ts'
import { pipelineOptions } from '../../src/pipeline/options.ts'
import { type PipelineParts, runPipeline } from '../../src/pipeline/run.ts'
import { ScorerHandle } from '../../src/pipeline/scorer-handle.ts'
import { FlakySink } from './flaky-sink.ts'
import { StubScorer } from './stub-scorer.ts'

const NEVER = new AbortController().signal
const BATCH = 10

function logOf(batches: number, prefix = 'in-0'): MemoryLog {
  const log = new MemoryLog()
  for (let b = 0; b < batches; b++) {
    const rows = Array.from({ length: BATCH }, (_, i) => ({ amount: b * BATCH + i }))
    log.append(batchOfRows(rows, { prefix, offsets: { first: b * BATCH } }))
  }
  return log
}

const rejected = (offset: number): RejectedRecord => ({
  id: `in-0-${offset}`,
  reason: 'not JSON',
  cause: new Error('not JSON'),
  offset,
  timestamp: 5,
  key: null,
  value: Buffer.from('{'),
  headers: {},
})

function run(log: MemoryLog, parts: Partial<PipelineParts> = {}) {
  return runPipeline({
    pipeline: 'test',
    source: new MemorySource(log),
    scorer: new ScorerHandle(new StubScorer()),
    sinks: [],
    signal: NEVER,
    ...parts,
  })
}

describe('runPipeline', () => {
  it('scores every record, writes it and acknowledges it', async () => {
    const log = logOf(30)
    log.end()
    const sink = new MemorySink()
    const outcome = await run(log, { sinks: [sink] })
    expect(outcome).toEqual({ records: 300, drained: true })
    expect(sink.records.map(({ id }) => id)).toEqual(Array.from({ length: 300 }, (_, i) => `in-0-${i}`))
    expect(log.committed).toBe(30)
  })

  it('waits out a sink that is down, without losing or reordering a batch', async () => {
    const log = logOf(12)
    log.end()
    const sink = new FlakySink(3)
    const steady = new MemorySink()
    await run(log, { sinks: [sink, steady] })
    expect(sink.ids).toEqual(Array.from({ length: 12 }, (_, b) => `in-0:${b * BATCH}`))
    expect(steady.records).toHaveLength(120)
    expect(log.committed).toBe(12)
  })

  it('stops at an error that is not retryable and acknowledges nothing after it', async () => {
    const log = logOf(5)
    log.end()
    const refused = () => new SurprisalError('SERVICE_REFUSED', 'no such topic')
    await expect(run(log, { sinks: [new FlakySink(1, refused)] })).rejects.toThrow('no such topic')
    expect(log.committed).toBe(0)
  })

  it('isolates the records that break the model and scores their neighbours', async () => {
    const log = logOf(3)
    log.end()
    const sink = new MemorySink()
    const scorer = new StubScorer(1, (batch) => {
      const amount = columnNamed(batch, 'amount')
      if (amount.kind === 'number' && amount.values.includes(13)) throw new Error('cannot score 13')
    })
    await run(log, { sinks: [sink], scorer: new ScorerHandle(scorer) })
    const unscored = sink.records.filter(({ verdict }) => verdict === 'unscored')
    expect(unscored.map(({ id, reasons }) => [id, reasons])).toEqual([
      ['in-0-13', ['scoring failed: cannot score 13']],
    ])
    expect(sink.records).toHaveLength(30)
  })

  it('gives undecodable records out as unscored where no dead letters take them', async () => {
    const log = logOf(2)
    log.append(batchOfRows([{ amount: 20 }], { prefix: 'in-0', offsets: { first: 20 } }), [rejected(21)])
    log.end()
    const sink = new MemorySink()
    await run(log, { sinks: [sink] })
    expect(sink.records.at(-1)).toMatchObject({ id: 'in-0-21', verdict: 'unscored', reasons: ['not JSON'] })
  })

  it('sends undecodable records to the dead letters before it acknowledges', async () => {
    const log = logOf(1)
    log.append(batchOfRows([], { prefix: 'in-0', offsets: { first: 10 } }), [rejected(10)])
    log.end()
    const taken: RejectedRecord[] = []
    let failures = 2
    const deadLetters: DeadLetters = {
      name: 'dead letters',
      async open() {},
      async write(records) {
        if (failures-- > 0) throw new Error('down')
        taken.push(...records)
      },
      async [Symbol.asyncDispose]() {},
    }
    await run(log, { deadLetters })
    expect(taken.map(({ id }) => id)).toEqual(['in-0-10'])
    expect(log.committed).toBe(2)
  })

  it('stops at the first bad record where errors.tolerance is none', async () => {
    const log = logOf(1)
    log.append(batchOfRows([], { prefix: 'in-0', offsets: { first: 10 } }), [rejected(10)])
    log.end()
    const options = pipelineOptions.parse({ errors: { tolerance: 'none' } })
    await expect(run(log, { options })).rejects.toThrow(/in-0-10: not JSON; errors.tolerance is none/)
    expect(log.committed).toBe(1)
  })

  it('breaks the circuit where too large a share fails', async () => {
    const log = new MemoryLog()
    for (let b = 0; b < 40; b++) log.append(batchOfRows([{ amount: 1 }]), [rejected(b), rejected(b)])
    log.end()
    const options = pipelineOptions.parse({ errors: { max_share: 0.5, window: 60 } })
    await expect(run(log, { options })).rejects.toThrow(/bad, over the limit of 50 %/)
    expect(log.committed).toBeLessThan(40)
  })

  it('scores each batch by one version and swaps between two batches', async () => {
    const log = logOf(20)
    log.end()
    const sink = new MemorySink()
    const first = new StubScorer(1)
    const handle = new ScorerHandle(first)
    let batches = 0
    await run(log, {
      sinks: [sink],
      scorer: handle,
      observe: () => {
        if (++batches === 5) handle.swap(new StubScorer(2))
      },
    })
    const versions = Array.from({ length: 20 }, (_, b) => [
      ...new Set(sink.records.slice(b * BATCH, (b + 1) * BATCH).map((r) => r.model_version)),
    ])
    expect(versions.every((set) => set.length === 1)).toBe(true)
    expect(versions[0]).toEqual([1])
    expect(versions[19]).toEqual([2])
    expect(first.disposed).toBe(true)
  })

  it('waits for the first model and then scores what was held back', async () => {
    const log = logOf(4)
    log.end()
    const sink = new MemorySink()
    const handle = new ScorerHandle()
    const running = run(log, { sinks: [sink], scorer: handle })
    await sleep(20)
    expect(sink.records).toEqual([])
    handle.swap(new StubScorer(1))
    await running
    expect(sink.records).toHaveLength(40)
  })

  it('finishes what is in flight on abort', async () => {
    const log = logOf(50)
    const stop = new AbortController()
    const sink = new MemorySink()
    const scorer = new ScorerHandle(new StubScorer(1, () => sleep(5)))
    const running = run(log, { sinks: [sink], scorer, signal: stop.signal })
    while (log.committed === 0) await sleep(1)
    stop.abort()
    expect(await running).toMatchObject({ drained: true })
    expect(sink.records.length).toBe(log.committed * BATCH)
    expect(log.committed).toBeGreaterThan(0)
    expect(log.committed).toBeLessThan(50)
  })

  it('abandons what is stuck at the drain’s deadline and acknowledges none of it', async () => {
    const log = logOf(5)
    const stop = new AbortController()
    const options = pipelineOptions.parse({ flow_control: { drain_ms: 50 } })
    const sink = new FlakySink(Number.POSITIVE_INFINITY)
    const running = run(log, { sinks: [sink], signal: stop.signal, options })
    await sleep(30)
    stop.abort()
    expect(await running).toMatchObject({ drained: false })
    expect(log.committed).toBe(0)
  })

  it('acknowledges after the roll of a sink that is durable only then', async () => {
    const log = logOf(6)
    const stop = new AbortController()
    const sink = new FlakySink(0, undefined, 'roll')
    const running = run(log, { sinks: [sink], signal: stop.signal })
    while (sink.ids.length < 6) await sleep(5)
    expect(log.committed).toBe(0)
    stop.abort()
    await running
    expect(sink.flushed).toBe(6)
    expect(log.committed).toBe(6)
  })

  it('acknowledges nothing that a failing roll may have dropped', async () => {
    const log = logOf(6)
    log.end()
    let writes = 0
    const sink = new FlakySink(0, undefined, 'roll')
    const write = sink.write.bind(sink)
    sink.write = async (scored) => {
      if (++writes === 4) throw new Error('disk full')
      await write(scored)
    }
    await expect(run(log, { sinks: [sink] })).rejects.toThrow(/disk full.*scored again after a restart/)
    expect(log.committed).toBe(0)
  })
})
