import { randomUUID } from 'node:crypto'
import { open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { SurprisalError } from '../../src/core/errors.ts'

/** Writes a file whole or not at all: a temporary name, fsync, rename, fsync of the folder. */
export async function writeDurably(path: string, data: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${randomUUID()}.part`
  try {
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(data)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncFolder(dirname(path))
  } catch (cause) {
    await rm(temporary, { force: true })
    throw writeError(path, cause)
  }
}

/** Temporary files of writes to `path` that never ended. */
export async function unfinishedOf(path: string): Promise<string[]> {
  const [folder, name] = [dirname(path), basename(path)]
  const names = await readdir(folder).catch(() => [])
  return names
    .filter((other) => other.startsWith(`${name}.`) && other.endsWith('.part'))
    .map((other) => join(folder, other))
}

/**
 * Appends one JSON line and syncs it. A line that a crash cut short is closed first, so that it stays alone
 * (and unreadable) instead of swallowing the new one.
 */
export async function appendLine(path: string, value: unknown): Promise<void> {
  try {
    const file = await open(path, 'a+')
    try {
      const { size } = await file.stat()
      const last = Buffer.alloc(1)
      if (size > 0) await file.read(last, 0, 1, size - 1)
      const opening = size > 0 && last[0] !== 0x0a ? '\n' : ''
      await file.appendFile(`${opening}${JSON.stringify(value)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw writeError(path, cause)
  }
}

/** The values of all complete, parseable lines; none where there is no file. */
export async function readLines<T>(path: string): Promise<T[]> {
  const text = (await readIfThere(path))?.toString('utf8') ?? ''
  return text
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as T]
      } catch {
        return []
      }
    })
}

export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw new SurprisalError('FILE_UNREADABLE', `cannot read ${path}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function writeError(path: string, cause: unknown): SurprisalError {
  return isErrno(cause, 'ENOSPC')
    ? new SurprisalError('DISK_FULL', `no space left for ${path}: free some, then repeat`, { cause })
    : new SurprisalError('FILE_UNREADABLE', `cannot write ${path}: ${(cause as Error).message}`, { cause })
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
