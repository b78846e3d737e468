import { mkdirSync, mkdtempSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { FsLeases } from '../../../connectors/fs/leases.ts'
import { leasesSuite } from '../../conformance/leases.suite.ts'

const shared = mkdtempSync(join(tmpdir(), 'surprisal-leases-'))
leasesSuite('FsLeases', async (staleMs) => new FsLeases(join(shared, String(staleMs)), staleMs))

it('takes over from a process that died, and says what is wrong with a folder', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'surprisal-leases-'))
  mkdirSync(join(folder, 'a.lock'))
  const before = Date.now() / 1000 - 60
  utimesSync(join(folder, 'a.lock'), before, before)
  await using lease = await new FsLeases(folder, 5000).take('a')
  expect(lease).toBeDefined()
  await expect(new FsLeases('/dev/null/no').take('a')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  await expect(new FsLeases(folder).take('../a')).rejects.toMatchObject({ code: 'QUERY_INVALID' })
})
