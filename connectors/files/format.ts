import { open } from 'node:fs/promises'
import { extname } from 'node:path'
import { SurprisalError } from '../../src/core/errors.ts'
import { onFile } from './file-error.ts'

export type FileFormat = 'arrow' | 'parquet' | 'csv' | 'ndjson'

/** The format that an extension stands for; `.gz` after it is allowed for text. */
const EXTENSIONS: Readonly<Record<string, FileFormat>> = {
  '.arrow': 'arrow',
  '.arrows': 'arrow',
  '.feather': 'arrow',
  '.ipc': 'arrow',
  '.parquet': 'parquet',
  '.pq': 'parquet',
  '.csv': 'csv',
  '.tsv': 'csv',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
}
export const HEAD_BYTES = 4096

export function formatOfName(path: string): FileFormat | undefined {
  return EXTENSIONS[extname(path.toLowerCase().replace(/\.gz$/, ''))]
}

export interface Detected {
  readonly format: FileFormat
  readonly gzip: boolean
}

/**
 * The format of a file by its first bytes, then by its extension; text without an extension that says more is CSV,
 * or NDJSON where it begins with `{`. FILE_EMPTY without bytes, FILE_FORMAT where bytes and extension disagree.
 */
export function detectFormat(path: string, head: Buffer): Detected {
  if (head.length === 0) throw new SurprisalError('FILE_EMPTY', `${path} is empty (0 bytes)`)
  const named = formatOfName(path)
  const text = head.toString('latin1')
  if (text.startsWith('ARROW1') || isArrowStream(head)) return { format: 'arrow', gzip: false }
  if (text.startsWith('PAR1')) return { format: 'parquet', gzip: false }
  if (head[0] === 0x1f && head[1] === 0x8b && (named === 'csv' || named === 'ndjson'))
    return { format: named, gzip: true }
  if (text.startsWith('FEA1'))
    throw refused(path, 'is Feather version 1; write it again as Feather version 2 (Arrow IPC)')
  if (named === 'arrow' || named === 'parquet')
    throw refused(
      path,
      `is no ${named === 'arrow' ? 'Arrow' : 'Parquet'} file: it begins with ${shown(head)}`,
    )
  if (head.includes(0))
    throw refused(
      path,
      `is of an unknown binary format: it begins with ${shown(head)}. Surprisal reads Arrow, Parquet, CSV and NDJSON`,
    )
  if (/^\uFEFF?\s*\[/.test(text) && named !== 'csv')
    throw refused(path, `is one JSON array; write one object a line (jq -c '.[]' ${path})`)
  return { format: named ?? (/^\s*\{/.test(text) ? 'ndjson' : 'csv'), gzip: false }
}

/** The first bytes of a file. FILE_NOT_FOUND, FILE_UNREADABLE (a folder, no permission). */
export async function headOf(path: string): Promise<Buffer> {
  return onFile(path, 'read', async () => {
    const handle = await open(path, 'r')
    try {
      const head = Buffer.alloc(HEAD_BYTES)
      const { bytesRead } = await handle.read(head, 0, HEAD_BYTES, 0)
      return head.subarray(0, bytesRead)
    } finally {
      await handle.close()
    }
  })
}

/** An IPC stream begins with a continuation marker and the length of the schema message. */
export function isArrowStream(head: Buffer): boolean {
  if (head.length < 8 || head.readUInt32LE(0) !== 0xffffffff) return false
  const length = head.readInt32LE(4)
  return length > 0 && length % 8 === 0
}

function refused(path: string, what: string): SurprisalError {
  return new SurprisalError('FILE_FORMAT', `${path} ${what}`)
}

function shown(head: Buffer): string {
  return JSON.stringify(head.toString('latin1', 0, 16))
}
