import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { FsModelRegistry } from '../../../connectors/fs/model-registry.ts'
import { packageRoot } from '../../../src/core/package-root.ts'
import { modelRegistrySuite } from '../../conformance/model-registry.suite.ts'

const folder = () => mkdtemp(join(tmpdir(), 'surprisal-registry-'))

modelRegistrySuite('fs', async () => {
  const path = await folder()
  return {
    open: async () => new FsModelRegistry(path, { pollMs: 10 }),
    close: () => rm(path, { recursive: true }),
  }
})

describe('FsModelRegistry', () => {
  it('reads past an alias line that a crash cut short, and appends after it', async () => {
    const path = await folder()
    const registry = new FsModelRegistry(path)
    await registry.put('m', Buffer.from('one'), {}, await registry.fence('m'))
    await registry.setAlias('m', 'champion', 1, 'ada', 'first')
    await appendFile(join(path, 'm', 'aliases.ndjson'), '{"alias":"champion","version":7')
    expect((await registry.alias('m', 'champion'))?.version).toBe(1)
    await registry.setAlias('m', 'champion', null, 'ada', 'withdrawn')
    expect(await registry.alias('m', 'champion')).toBeUndefined()
    expect(await registry.history('m')).toHaveLength(2)
  })

  it('refuses an artifact that was damaged on disk', async () => {
    const path = await folder()
    const registry = new FsModelRegistry(path)
    await registry.put('m', Buffer.from('one'), {}, await registry.fence('m'))
    const file = join(path, 'm', 'versions', '000001.safetensors')
    await writeFile(file, `${await readFile(file, 'utf8')}x`)
    await expect(registry.get('m', 1)).rejects.toMatchObject({ code: 'MODEL_INVALID' })
  })

  it('is whole after kill −9 of writers in the middle of puts and promotions', async () => {
    const path = await folder()
    const module = join(packageRoot, 'dist', 'connectors', 'fs', 'model-registry.js')
    const program = `
      const { FsModelRegistry } = await import(${JSON.stringify(module)})
      const registry = new FsModelRegistry(${JSON.stringify(path)}, { lockStaleMs: 2000 })
      for (;;) {
        const { version } = await registry.put('m', Buffer.alloc(200_000, 7), {}, await registry.fence('m'))
        await registry.setAlias('m', 'champion', version, 'child', 'put ' + version)
        console.log(version)
      }`
    const registry = new FsModelRegistry(path, { lockStaleMs: 2000 })
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      await once(child.stdout, 'data')
      await sleep(20 + round * 37)
      child.kill('SIGKILL')
      await once(child, 'exit')
      const versions = await registry.list('m')
      const champion = await registry.alias('m', 'champion')
      expect(versions.map((v) => v.version)).toEqual(versions.map((_, i) => i + 1))
      expect(versions.length - champion!.version).toBeLessThanOrEqual(1)
      for (const { version } of versions) expect(await registry.get('m', version)).toHaveLength(200_000)
    }
    expect(
      (await registry.put('m', Buffer.from('after'), {}, await registry.fence('m'))).version,
    ).toBeGreaterThan(3)
  })
})
