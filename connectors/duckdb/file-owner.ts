import { readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'

/**
 * A note beside a DuckDB file: which process has it open, and where that serves the scores. DuckDB's own lock decides
 * who owns the file; the note only tells whom it keeps out where to ask, so a stale one does no harm.
 */
const noteOf = (file: string): string => `${file}.owner`

export async function noteOwner(file: string, url: string): Promise<void> {
  await writeFile(noteOf(file), `${JSON.stringify({ pid: process.pid, url })}\n`)
}

export async function removeNote(file: string): Promise<void> {
  await rm(noteOf(file), { force: true })
}

/** Where the holder of the lock, in DuckDB's words, serves the scores of the file; undefined where it did not say. */
export function ownerUrl(file: string, holder: string): string | undefined {
  try {
    const { pid, url } = JSON.parse(readFileSync(noteOf(file), 'utf8'))
    return holder.includes(`PID ${pid}`) && typeof url === 'string' ? url : undefined
  } catch {
    return undefined
  }
}
