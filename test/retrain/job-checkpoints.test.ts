import { mkdtemp, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FsCheckpointStore } from '../../connectors/fs/checkpoint-store.ts'
import type { JobState } from '../../src/core/ports.ts'
import { batchOfRows, rowOf } from '../../src/core/record.ts'
import { JobCheckpoints } from '../../src/retrain/job-checkpoints.ts'
import { jobContext } from './job-context.ts'

const REQUEST = { pipeline: 'p', trigger: 'cli', reason: 'because', who: 'ada' } as const

describe('JobCheckpoints in a folder', async () => {
  const folder = join(await mkdtemp(join(tmpdir(), 'surprisal-')), 'checkpoints')
  const job = (id: string, created = 5) => ({ id, created_at: new Date(created).toISOString() })
  const here = () => new JobCheckpoints(new FsCheckpointStore(folder))

  it('gives the latest of each member to another process, and the window', async () => {
    const first = here()
    for (let i = 0; i < 50; i++) first.save(job('7'), { member: 0, bytes: Uint8Array.of(i) })
    first.save(job('7'), { member: 2, bytes: Uint8Array.of(9) })
    const batch = batchOfRows([{ x: 1.5, name: 'a', at: new Date(5) }])
    const counts = { read: 1, kept: 1, labelled: 0, excluded: 0, improbable: 0 }
    await first.saveWindow(job('7'), {
      batches: [batch],
      falseAlarms: [],
      counts,
      from: null,
      to: null,
      thinning: 1,
      notes: [],
    })
    await expect
      .poll(async () => (await here().load(job('7'))).map((c) => [c.member, [...c.bytes]]))
      .toEqual([
        [0, [49]],
        [2, [9]],
      ])
    const window = await here().loadWindow(job('7'))
    expect(rowOf(window!.batches[0], 0)).toEqual(rowOf(batch, 0))
  })

  it('forgets a finished job and does not know another', async () => {
    await here().remove(job('7'))
    expect(await here().load(job('7'))).toEqual([])
    expect(await here().loadWindow(job('7'))).toBeUndefined()
    expect(await here().load(job('8'))).toEqual([])
  })

  it('takes no checkpoint of another job under the same id', async () => {
    const checkpoints = here()
    checkpoints.save(job('9', 5), { member: 0, bytes: Uint8Array.of(1) })
    expect(await checkpoints.load(job('9', 5))).toHaveLength(1)
    expect(await checkpoints.load(job('9', 6))).toEqual([])
    await checkpoints.remove(job('9', 5))
  })

  it('sweeps what ended jobs left, at once, and what nobody knows, after a day', async () => {
    const checkpoints = here()
    const ids = ['active', 'delayed', 'failed', 'cancelled', 'gone', 'another']
    for (const id of ids) checkpoints.save(job(id), { member: 3, bytes: Uint8Array.of(1) })
    await Promise.all(ids.map((id) => checkpoints.load(job(id))))
    await writeFile(join(folder, `failed.5.window.checkpoint.0a-1.part`), 'half')
    const queue = async (id: string) => {
      const { job: like } = jobContext({ ...job(id, id === 'another' ? 6 : 5), request: REQUEST })
      return id === 'gone' ? undefined : { ...like, state: (id === 'another' ? 'active' : id) as JobState }
    }
    const left = async () => (await readdir(folder)).map((file) => file.split('.')[0]).sort()
    expect(await checkpoints.sweep(queue)).toBe(3)
    expect(await left()).toEqual(['active', 'another', 'delayed', 'gone'])
    expect(await checkpoints.sweep(queue, Date.now() + 86_400_001)).toBe(2)
    expect(await left()).toEqual(['active', 'delayed'])
  })

  it('refuses a job id that would leave the folder', async () => {
    await expect(here().load(job('../../etc/x'))).rejects.toMatchObject({ code: 'QUERY_INVALID' })
  })
})
