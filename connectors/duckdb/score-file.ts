import { mkdir, realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { messageOf, SurprisalError } from '../../src/core/errors.ts'
import { noteOwner, ownerUrl, removeNote } from './file-owner.ts'
import { MIGRATE, SCHEMA, SCHEMA_VERSION } from './score-schema.ts'
import { inTransaction } from './transaction.ts'

/** DuckDB's own lock keeps other processes out; it does not see a second instance in this one. */
const openHere = new Set<string>()

export interface ScoreFile {
  readonly path: string
  connect(): Promise<DuckDBConnection>
  /** Tells whom the lock keeps out where the scores are served. */
  announce(url: string): Promise<void>
  close(): Promise<void>
}

/** Opens or makes the DuckDB file of a score store. STORE_LOCKED where it is open already. */
export async function openScoreFile(
  path: string,
  settings: Readonly<Record<string, string>>,
): Promise<ScoreFile> {
  const file = await canonical(path)
  if (openHere.has(file)) throw locked(file, 'this process has it open already')
  openHere.add(file)
  let instance: DuckDBInstance | undefined
  try {
    const opened = await DuckDBInstance.create(file, settings)
    instance = opened
    const connection = await opened.connect()
    await connection.run(SCHEMA)
    await migrate(connection, file)
    connection.closeSync()
    return {
      path: file,
      connect: () => opened.connect(),
      announce: (url) => noteOwner(file, url),
      async close() {
        await removeNote(file)
        opened.closeSync()
        openHere.delete(file)
      },
    }
  } catch (error) {
    instance?.closeSync()
    openHere.delete(file)
    throw openError(error, file)
  }
}

async function canonical(path: string): Promise<string> {
  const file = resolve(path)
  try {
    await mkdir(dirname(file), { recursive: true })
    return join(await realpath(dirname(file)), basename(file))
  } catch (cause) {
    throw new SurprisalError('FILE_UNREADABLE', `cannot make the folder of ${file}: ${messageOf(cause)}`, {
      cause,
    })
  }
}

/** All of it or nothing, once: a file says which version it is. */
async function migrate(connection: DuckDBConnection, file: string): Promise<void> {
  const found = await connection.runAndReadAll('SELECT max(version) FROM surprisal_schema')
  const version = found.getRowsJS()[0][0]
  if (version === null || Number(version) < SCHEMA_VERSION)
    await inTransaction(connection, async () => {
      await connection.run(MIGRATE)
      await connection.run('INSERT INTO surprisal_schema VALUES ($1)', [SCHEMA_VERSION])
    })
  else if (Number(version) > SCHEMA_VERSION)
    throw new SurprisalError(
      'FILE_FORMAT',
      `${file} has schema version ${version}, this program knows ${SCHEMA_VERSION}: update surprisal`,
    )
}

function openError(error: unknown, file: string): SurprisalError {
  if (error instanceof SurprisalError) return error
  const message = messageOf(error)
  const holder = /Conflicting lock is held in (.*?)\. See/.exec(message)?.[1]
  if (holder !== undefined) return locked(file, `${holder} holds it`)
  if (/not a valid DuckDB database file|corrupt|unable to deserialize/i.test(message))
    return new SurprisalError('FILE_FORMAT', `${file} is no DuckDB file: ${message}`, { cause: error })
  return new SurprisalError('FILE_UNREADABLE', `cannot open ${file}: ${message}`, { cause: error })
}

function locked(file: string, why: string): SurprisalError {
  const url = ownerUrl(file, why)
  return new SurprisalError(
    'STORE_LOCKED',
    `${file} takes one process at a time and ${why}: ` +
      (url === undefined
        ? 'stop that one, ask it over its HTTP API, or keep scores in PostgreSQL'
        : `its scores are at ${url} already, the page and the API; for more processes keep scores in PostgreSQL`),
  )
}
