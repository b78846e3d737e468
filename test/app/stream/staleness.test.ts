import { describe, expect, it } from 'vitest'
import { MemoryModelRegistry } from '../../../connectors/memory/model-registry.ts'
import { MemoryRetrainQueue } from '../../../connectors/memory/retrain-queue.ts'
import { watchAge } from '../../../src/app/stream/staleness.ts'
import { SILENT } from '../../../src/core/telemetry.ts'

async function watching(maxAgeMs: number, milliseconds: number) {
  const [registry, queue] = [new MemoryModelRegistry(), new MemoryRetrainQueue()]
  await registry.put('p', Uint8Array.of(1), {}, await registry.fence('p'))
  await registry.setAlias('p', 'champion', 1, 'ada', 'first')
  const stop = new AbortController()
  const watched = watchAge(
    { pipeline: 'p', registry, queue, maxAgeMs, lookMs: 5, logger: SILENT },
    stop.signal,
  )
  await new Promise((resolve) => setTimeout(resolve, milliseconds))
  stop.abort()
  await watched
  return queue.jobs({})
}

describe('watchAge', () => {
  it('asks once for a champion that is too old, and says how old', async () => {
    const [job, ...more] = await watching(20, 80)
    expect(job.request).toMatchObject({ trigger: 'staleness', champion: 1, who: 'surprisal run' })
    expect(job.request.reason).toMatch(/^version 1 is \S+ days old, allowed are \S+$/)
    expect(more).toEqual([])
  })

  it('leaves a young one alone', async () => {
    expect(await watching(60_000, 30)).toEqual([])
  })
})
