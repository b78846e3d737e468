import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { FsCheckpointStore } from '../../connectors/fs/checkpoint-store.ts'
import { MemoryModelRegistry } from '../../connectors/memory/model-registry.ts'
import type { RetrainRequest } from '../../src/core/ports.ts'
import { random } from '../../src/core/random.ts'
import { batchOfRows } from '../../src/core/record.ts'
import { Detector } from '../../src/detect/detector.ts'
import { JobCheckpoints } from '../../src/retrain/job-checkpoints.ts'
import { type RetrainPlan, retrainHandler } from '../../src/retrain/retrain-handler.ts'
import { jobContext } from './job-context.ts'

const r = random(5)
const records = batchOfRows(
  Array.from({ length: 1200 }, () => {
    const distance = 200 + 2000 * r.uniform()
    return { distance, minutes: distance / 10 + 10 * r.normal() }
  }),
)
const plan: RetrainPlan = {
  async *window() {
    yield records
  },
  source: 'test',
  fit: { effort: 0.05, backend: 'kernel', rate: 0.02 },
  minimumRecords: 100,
  excluded: [],
  excludeAnomalies: true,
  promote: 'auto',
}
const context = (extra: Partial<RetrainRequest>, last = false) =>
  jobContext(
    {
      id: '7',
      request: { pipeline: 'p', trigger: 'cli', reason: 'because', who: 'ada', ...extra },
      created_at: `${Math.random()}`,
    },
    last,
  )
const load = (artifact: Uint8Array, modelVersion: number) =>
  Detector.load(artifact, { modelVersion, workers: 0 })

describe('retrainHandler', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'surprisal-'))
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('recalibrates the champion without a fit, and does nothing about one that is gone', async () => {
    const registry = new MemoryModelRegistry()
    const handler = retrainHandler({ registry, plan: () => plan, load })
    expect(await handler(context({}))).toMatchObject({ version: 1, promoted: true })
    const again = context({ action: 'recalibrate', champion: 1 })
    expect(await handler(again)).toMatchObject({ version: 2, promoted: true })
    expect(again.lines).toContain('recalibrates version 1: its flows stay as they are')
    const late = await handler(context({ trigger: 'drift', champion: 1 }))
    expect(late.decision).toBe('nothing to do: version 2 has taken over from version 1')
    expect(await registry.list('p')).toHaveLength(2)
  })

  it.each([
    [false, 1],
    [true, 0],
  ])('leaves files for the next attempt, none after the last (%s)', async (last, files) => {
    const kept = join(folder, String(last))
    const handler = retrainHandler({
      registry: new MemoryModelRegistry(),
      checkpoints: new JobCheckpoints(new FsCheckpointStore(kept)),
      plan: () => plan,
      load: () => Promise.reject(new Error('the disk hums')),
    })
    const failing = context({}, last)
    await expect(handler(failing)).rejects.toThrow('the disk hums')
    expect((await readdir(kept)).filter((file) => file.endsWith('.window.checkpoint'))).toHaveLength(files)
    if (last) expect(await readdir(kept)).toEqual([])
  })
})
