import { describe, expect, it } from 'vitest'
import { LoadedVersions } from '../../../src/app/stream/loaded-versions.ts'
import type { Detector } from '../../../src/detect/detector.ts'

function versions(log: string[]) {
  return new LoadedVersions(async (version) => {
    log.push(`load ${version}`)
    if (version === 9) throw new Error('no such version')
    return {
      modelVersion: version,
      async [Symbol.asyncDispose]() {
        log.push(`close ${version}`)
      },
    } as Detector
  })
}
const nothing = async () => {}

describe('loaded versions', () => {
  it('load a version once and keep the last three', async () => {
    const log: string[] = []
    await using loaded = versions(log)
    for (const version of [1, 2, 1, 3, 4, 1]) await loaded.use(version, nothing)
    expect(log).toEqual(['load 1', 'load 2', 'load 3', 'load 4', 'close 2'])
  })

  it('leave a version open while it is worked with', async () => {
    const log: string[] = []
    const loaded = versions(log)
    let finish = () => {}
    const working = loaded.use(
      1,
      () =>
        new Promise<void>((resolve) => {
          finish = resolve
        }),
    )
    await new Promise(setImmediate)
    await loaded[Symbol.asyncDispose]()
    expect(log).toEqual(['load 1'])
    finish()
    await working
    expect(log).toEqual(['load 1', 'close 1'])
  })

  it('try again what could not be loaded, and keep what only failed at its work', async () => {
    const log: string[] = []
    await using loaded = versions(log)
    for (const _ of [1, 2]) await expect(loaded.use(9, nothing)).rejects.toThrow('no such version')
    for (const _ of [1, 2])
      await expect(loaded.use(1, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    expect(log).toEqual(['load 9', 'load 9', 'load 1'])
  })
})
