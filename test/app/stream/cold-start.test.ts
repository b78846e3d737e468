import { expect, it } from 'vitest'
import { MemoryRetrainQueue } from '../../../connectors/memory/retrain-queue.ts'
import { type ColdStart, warmUp } from '../../../src/app/stream/cold-start.ts'
import { SurprisalError } from '../../../src/core/errors.ts'
import { SILENT } from '../../../src/core/telemetry.ts'
import { ScorerHandle } from '../../../src/pipeline/scorer-handle.ts'

/** A start whose source counts so many records. */
function startOf(queue: MemoryRetrainQueue, handle: ScorerHandle, count: () => number): ColdStart {
  const source: Pick<ColdStart['source'], 'count'> = { count: async () => count() }
  return {
    pipeline: 'cold',
    source: source as ColdStart['source'],
    queue,
    handle,
    hasChampion: async () => false,
    minimumRecords: 10_000,
    since: () => 0,
    lookMs: 5,
    logger: SILENT,
  }
}

it('asks for one fit, and after one that failed not at once for the next, but says why', async () => {
  await using handle = new ScorerHandle()
  await using queue = new MemoryRetrainQueue({ attempts: 1 })
  const stop = new AbortController()
  const fit = async () => {
    throw new SurprisalError('DATA_INSUFFICIENT', '3 records are too few')
  }
  const working = queue.work(fit, stop.signal)
  const said: (string | null)[] = []
  const warming = warmUp(
    startOf(queue, handle, () => 10_000),
    (waiting) => said.push(waiting),
    stop.signal,
  )
  await expect
    .poll(() => said.filter((text) => text?.includes('3 records are too few')).length)
    .toBeGreaterThan(5)
  stop.abort()
  await Promise.all([working, warming])
  expect(said[0]).toMatch(/learning the first model/)
  expect(await queue.jobs({})).toHaveLength(1)
})

it('waits for as many records as a fit needs', async () => {
  await using handle = new ScorerHandle()
  await using queue = new MemoryRetrainQueue()
  const stop = new AbortController()
  let count = 4120
  const said: (string | null)[] = []
  const warming = warmUp(
    startOf(queue, handle, () => count),
    (waiting) => said.push(waiting),
    stop.signal,
  )
  await expect.poll(() => said.length).toBeGreaterThan(2)
  expect(await queue.jobs({})).toEqual([])
  count = 10_000
  await expect.poll(() => queue.jobs({})).toHaveLength(1)
  stop.abort()
  await warming
  expect(said[0]).toBe('warming_up: 4,120 of 10,000 records')
  expect(said.at(-1)).toBeNull()
})

it('learns no second model where the first came while the records were counted', async () => {
  await using handle = new ScorerHandle()
  await using queue = new MemoryRetrainQueue()
  const stop = new AbortController()
  let champion = false
  const counting = () => {
    champion = true
    return 10_000
  }
  const said: (string | null)[] = []
  const warming = warmUp(
    { ...startOf(queue, handle, counting), hasChampion: async () => champion },
    (waiting) => said.push(waiting),
    stop.signal,
  )
  await expect.poll(() => said.length).toBeGreaterThan(2)
  stop.abort()
  await warming
  expect(said[0]).toBe('the champion is being loaded')
  expect(await queue.jobs({})).toEqual([])
})
