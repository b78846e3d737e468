import { createReadStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { addAbortSignal } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { SurprisalError } from '../../src/core/errors.ts'
import { detectFormat, HEAD_BYTES, headOf, isArrowStream } from './format.ts'
import type { RecordFile } from './record-file.ts'
import { FileSource, type FileSourceOptions, noFiles } from './source.ts'
import { StagedFile } from './staged-file.ts'

/**
 * Opens files of any readable format as one source: paths, glob patterns, and `-` for standard input.
 * Throws USAGE without a path, FILE_NOT_FOUND, FILE_UNREADABLE, FILE_EMPTY, FILE_FORMAT, SCHEMA_MISMATCH.
 */
export async function openFiles(
  paths: readonly string[],
  options: FileSourceOptions = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<FileSource> {
  if (paths.length === 0) throw noFiles()
  const files: RecordFile[] = []
  const source = new FileSource(files, options)
  try {
    for (const path of paths) {
      if (path === '-') files.push(await standardInput(addAbortSignal(signal, process.stdin)))
      else for (const found of await expand(path)) files.push(await fileAt(found))
    }
    await source.open(signal)
    return source
  } catch (error) {
    await source[Symbol.asyncDispose]()
    throw error
  }
}

/** A path as it is where it exists, else the files that match it as a pattern, in order of name. */
async function expand(path: string): Promise<readonly string[]> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  )
  if (exists || !/[*?[{]/.test(path)) return [path]
  const { glob } = await import('tinyglobby')
  const found = await glob(path, { onlyFiles: true, expandDirectories: false, absolute: isAbsolute(path) })
  if (found.length === 0) throw new SurprisalError('FILE_NOT_FOUND', `${path}: no file matches this pattern`)
  return found.sort()
}

async function fileAt(path: string): Promise<RecordFile> {
  const { format, gzip } = detectFormat(path, await headOf(path))
  switch (format) {
    case 'arrow': {
      const { ArrowFile } = await import('../arrow/source.ts')
      return new ArrowFile(path)
    }
    case 'ndjson': {
      const { NdjsonFile } = await import('../ndjson/source.ts')
      return new NdjsonFile(path, gzip ? createReadStream(path).pipe(createGunzip()) : undefined)
    }
    default: {
      const { DuckdbFile } = await import('../duckdb/source.ts')
      return new DuckdbFile(path, format)
    }
  }
}

const STDIN = 'stdin'

/** Arrow streams and NDJSON are read as they come; Arrow files, Parquet and CSV need to seek: from a temporary copy. */
async function standardInput(bytes: AsyncIterable<Uint8Array>): Promise<RecordFile> {
  const { head, all } = await peek(bytes)
  const { format } = detectFormat(STDIN, head)
  if (format === 'ndjson') {
    const { NdjsonFile } = await import('../ndjson/source.ts')
    return new NdjsonFile(STDIN, all)
  }
  const { ArrowFile } = await import('../arrow/source.ts')
  if (format === 'arrow' && isArrowStream(head)) return new ArrowFile(STDIN, all)
  const folder = await mkdtemp(join(tmpdir(), 'surprisal-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    const copy = await StagedFile.create(join(folder, `stdin.${format}`))
    for await (const chunk of all) await copy.write([chunk])
    await copy.commit()
    if (format === 'arrow') return withCleanUp(new ArrowFile(STDIN, copy.path), remove)
    const { DuckdbFile } = await import('../duckdb/source.ts')
    return withCleanUp(new DuckdbFile(STDIN, format, copy.path), remove)
  } catch (error) {
    await remove()
    throw error
  }
}

function withCleanUp(file: RecordFile, cleanUp: () => Promise<void>): RecordFile {
  return {
    path: file.path,
    columns: () => file.columns(),
    read: (wanted, signal) => file.read(wanted, signal),
    async [Symbol.asyncDispose]() {
      await file[Symbol.asyncDispose]()
      await cleanUp()
    },
  }
}

async function peek(
  bytes: AsyncIterable<Uint8Array>,
): Promise<{ head: Buffer; all: AsyncIterable<Uint8Array> }> {
  const iterator = bytes[Symbol.asyncIterator]()
  let head = Buffer.alloc(0)
  while (head.length < HEAD_BYTES) {
    const next = await iterator.next()
    if (next.done) break
    head = Buffer.concat([head, next.value])
  }
  return {
    head,
    all: (async function* () {
      // A buffer of its own: the Arrow reader takes neighbours in Node's shared pool for one range.
      yield new Uint8Array(head)
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value
    })(),
  }
}
