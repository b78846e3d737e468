import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { messageOf, SurprisalError } from '../../src/core/errors.ts'

/** A private in-memory DuckDB with bounded memory, which reads and writes files. */
export interface Database {
  readonly connection: DuckDBConnection
  close(): void
}

export async function openDatabase(options: Readonly<Record<string, string>> = {}): Promise<Database> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance: DuckDBInstance = await DuckDBInstance.create(':memory:', {
    memory_limit: '400MB',
    threads: '2',
    preserve_insertion_order: 'true',
    ...options,
  })
  const connection = await instance.connect()
  return {
    connection,
    close: () => {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

/** An SQL identifier in quotes. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** An SQL text literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** A path that DuckDB reads as it is, not as a glob pattern. */
export function plainPath(path: string): string {
  return path.replace(/[*?[]/g, '[$&]')
}

/** DuckDB's refusal of a file as an error that names it. */
export function duckdbError(error: unknown, path: string): unknown {
  const text = messageOf(error)
  if (text.includes('No space left on device'))
    return new SurprisalError('DISK_FULL', `${path}: the disk is full; nothing was left behind`, {
      cause: error,
    })
  if (text.includes('No such file or directory'))
    return new SurprisalError('FILE_NOT_FOUND', `${path}: the file or its folder is gone`, { cause: error })
  const firstLine = text.split('\n')[0]
  return new SurprisalError('FILE_FORMAT', `${path}: ${firstLine}`, { cause: error })
}
