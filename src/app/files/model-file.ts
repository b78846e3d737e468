import { readFile } from 'node:fs/promises'
import { onFile } from '../../../connectors/files/file-error.ts'
import { StagedFile } from '../../../connectors/files/staged-file.ts'

/** The bytes of a model file. FILE_NOT_FOUND, FILE_UNREADABLE. */
export async function readModelFile(path: string): Promise<Uint8Array> {
  return onFile(path, 'read', () => readFile(path))
}

/** Writes a model file whole or not at all. */
export async function writeModelFile(path: string, artifact: Uint8Array): Promise<void> {
  const file = await StagedFile.create(path)
  try {
    await file.write([artifact])
    await file.commit()
  } catch (error) {
    await file.discard()
    throw error
  }
}
