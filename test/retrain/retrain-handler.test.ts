import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { FsCheckpointStore } from '../../connectors/fs/checkpoint-store.ts'
import { MemoryModelRegistry } from '../../connectors/memory/model-registry.ts'
import type { RetrainRequest } from '../../src/core/ports.ts'
import { random } from '../../src/core/random.ts'
import { batchOfRows, type RecordBatch } from '../../src/core/record.ts'
import { Detector } from '../../src/detect/detector.ts'
import { addedColumns } from '../../src/features/windows/window-spec.ts'
import { windowField } from '../../src/features/windows/window-terms.ts'
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
  fit: { effort: 0.05, backend: 'auto', rate: 0.02 },
  minimumRecords: 100,
  excluded: [],
  excludeAnomalies: true,
  promote: 'auto',
  // What a record costs depends on what else the machine does.
  gate: { maxCostRatio: Number.POSITIVE_INFINITY },
}
/** A record a minute from two planes, without one column. */
async function* timed(from: number, gone?: string): AsyncGenerator<RecordBatch> {
  const draw = random(from + 1)
  const rows = Array.from({ length: 1500 }, (_, i) => {
    const height = 200 + 2000 * draw.uniform()
    const row: Record<string, unknown> = {
      plane: 'AB'[i % 2],
      distance: 100 * draw.normal(),
      height,
      minutes: height / 10 + 10 * draw.normal(),
    }
    if (gone !== undefined) delete row[gone]
    return row
  })
  yield {
    ...batchOfRows(rows),
    eventTime: Float64Array.from(rows, (_, i) => (from + i) * 60_000),
    entity: rows.map(({ plane }) => String(plane)),
  }
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
    const first = context({})
    expect(await handler(first)).toMatchObject({ version: 1, promoted: true })
    expect(first.lines).toContainEqual(
      expect.stringMatching(
        /^trains on kernel: \d+ records × \d+ parameters a step are too little work for a GPU/,
      ),
    )
    const again = context({ action: 'recalibrate', champion: 1 })
    expect(await handler(again)).toMatchObject({ version: 2, promoted: true })
    expect(again.lines).toContain('recalibrates version 1: its flows stay as they are')
    const late = await handler(context({ trigger: 'drift', champion: 1 }))
    expect(late.decision).toBe('nothing to do: version 2 has taken over from version 1')
    expect(await registry.list('p')).toHaveLength(2)
  })

  it('goes on from the champion, and afresh, with the reason, where the records or the settings say so', async () => {
    const registry = new MemoryModelRegistry()
    let now = plan
    const handler = retrainHandler({ registry, plan: () => now, load })
    const learned = async (from: number, extra: Partial<RetrainPlan> = {}, gone?: string) => {
      now = { ...plan, ...extra, window: () => timed(from, gone) }
      const job = context({})
      const { warm_start, promoted, decision } = await handler(job)
      const told = job.lines.find((line) => line.startsWith('warm start: '))
      return { told, warm_start, promoted, decision }
    }
    expect((await learned(0)).told).toBe('warm start: fresh: there is no champion yet')
    const warm = await learned(600)
    expect(warm.told).toMatch(/^warm start: from version 1: 3 of 3 flows/)
    expect(`warm start: ${warm.warm_start}`).toBe(warm.told)
    const never = await learned(1200, { warmStart: 'never' })
    expect(never.told).toBe('warm start: fresh: retrain.warm_start is never')
    const changed = await learned(1200, {}, 'height')
    expect(changed.told).toMatch(/^warm start: fresh: flow 1 afresh: it models/)
    expect(changed).toMatchObject({ promoted: true })
    expect(changed.decision).toContain('cannot score these records: column "height" is missing')
  })

  it('fits in the child what looks back on the stream', async () => {
    const registry = new MemoryModelRegistry()
    const windows = { fields: [windowField('minutes', ['difference 1'])], sincePrevious: true, clock: true }
    const looking = { ...plan, fit: { ...plan.fit, entity: 'plane', windows }, window: () => timed(0) }
    const handler = retrainHandler({ registry, plan: () => looking, load })
    expect(await handler(context({}))).toMatchObject({ version: 1, promoted: true })
    const again = context({})
    expect(await handler(again)).toMatchObject({ version: 2 })
    await using detector = await load(await registry.get('p', 2), 2)
    const { manifest } = detector
    expect(manifest.windows).toMatchObject({ sincePrevious: true })
    const added = addedColumns(manifest.windows!).map(({ name }) => name)
    const modelled = manifest.fields.filter(({ role }) => role === 'modelled').map(({ field }) => field)
    expect(modelled.filter((field) => added.includes(field))).not.toEqual([])
    expect(again.lines.join('\n')).not.toContain('looks back on something else')
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
