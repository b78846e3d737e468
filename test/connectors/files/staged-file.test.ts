import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import * as promises from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { StagedFile } from '../../../connectors/files/staged-file.ts'
import { temporaryFolder } from './temporary-folder.ts'

vi.mock('node:fs/promises', { spy: true })

describe('StagedFile', () => {
  it('shows nothing before commit, everything after, and replaces what was there', async () => {
    const path = join(temporaryFolder(), 'out.bin')
    writeFileSync(path, 'old')
    const file = await StagedFile.create(path)
    await file.write(Array.from({ length: 2000 }, (_, i) => Buffer.from(`${i},`)))
    expect(readFileSync(path, 'utf8')).toBe('old')
    await file.commit()
    await file.commit()
    expect(readFileSync(path, 'utf8')).toBe(Array.from({ length: 2000 }, (_, i) => `${i},`).join(''))
  })

  it('leaves what was there on discard', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'out.bin')
    writeFileSync(path, 'old')
    const file = await StagedFile.create(path)
    await file.write([Buffer.from('new')])
    await file.discard()
    await file.discard()
    expect(readFileSync(path, 'utf8')).toBe('old')
    expect(readdirSync(folder)).toEqual(['out.bin'])
  })

  it('writes what a short write left over', async () => {
    const path = join(temporaryFolder(), 'out.bin')
    const real = await vi.importActual<typeof promises>('node:fs/promises')
    vi.mocked(promises.open).mockImplementationOnce(async (...args) => {
      const handle = await real.open(...args)
      const writev = handle.writev.bind(handle)
      handle.writev = ((chunks: Uint8Array[]) => writev([chunks[0].subarray(0, 3)])) as typeof handle.writev
      return handle
    })
    const file = await StagedFile.create(path)
    await file.write([Buffer.from('hello, '), Buffer.from('world')])
    await file.commit()
    expect(readFileSync(path, 'utf8')).toBe('hello, world')
  })

  it('leaves no file when the last step fails', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'out.bin')
    vi.mocked(promises.rename).mockRejectedValueOnce(Object.assign(new Error('denied'), { code: 'EACCES' }))
    const file = await StagedFile.create(path)
    await file.write([Buffer.from('x')])
    await expect(file.commit()).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
    await file.discard()
    expect(readdirSync(folder)).toEqual([])
  })

  it('leaves no file when the disk fills up in the middle', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'out.bin')
    const real = await vi.importActual<typeof promises>('node:fs/promises')
    vi.mocked(promises.open).mockImplementationOnce(async (...args) => {
      const handle = await real.open(...args)
      handle.writev = () => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' }))
      return handle
    })
    const file = await StagedFile.create(path)
    await expect(file.write([Buffer.from('x')])).rejects.toMatchObject({ code: 'DISK_FULL', retryable: true })
    await file.discard()
    expect(existsSync(path)).toBe(false)
    expect(readdirSync(folder)).toEqual([])
  })
})
