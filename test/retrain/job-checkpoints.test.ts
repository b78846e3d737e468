import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FsCheckpointStore } from '../../connectors/fs/checkpoint-store.ts'
import { batchOfRows, rowOf } from '../../src/core/record.ts'
import { JobCheckpoints } from '../../src/retrain/job-checkpoints.ts'

describe('JobCheckpoints in a folder', async () => {
  const folder = join(await mkdtemp(join(tmpdir(), 'surprisal-')), 'checkpoints')
  const here = () => new JobCheckpoints(new FsCheckpointStore(folder))

  it('gives the latest of each member to another process, and the window', async () => {
    const first = here()
    for (let i = 0; i < 50; i++) first.save('7', { member: 0, bytes: Uint8Array.of(i) })
    first.save('7', { member: 2, bytes: Uint8Array.of(9) })
    const batch = batchOfRows([{ x: 1.5, name: 'a', at: new Date(5) }])
    const counts = { read: 1, kept: 1, labelled: 0, excluded: 0, improbable: 0 }
    await first.saveWindow('7', {
      batches: [batch],
      falseAlarms: [],
      counts,
      from: null,
      to: null,
      thinning: 1,
      notes: [],
    })
    await expect
      .poll(async () => (await here().load('7')).map((c) => [c.member, [...c.bytes]]))
      .toEqual([
        [0, [49]],
        [2, [9]],
      ])
    const window = await here().loadWindow('7')
    expect(rowOf(window!.batches[0], 0)).toEqual(rowOf(batch, 0))
  })

  it('forgets a finished job and does not know another', async () => {
    await here().remove('7')
    expect(await here().load('7')).toEqual([])
    expect(await here().loadWindow('7')).toBeUndefined()
    expect(await here().load('8')).toEqual([])
  })

  it('refuses a job id that would leave the folder', async () => {
    await expect(here().load('../../etc/x')).rejects.toMatchObject({ code: 'QUERY_INVALID' })
  })
})
