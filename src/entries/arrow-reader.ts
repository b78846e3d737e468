import { readArrowBody } from '../../connectors/arrow/posted.ts'
import { isSurprisalError, messageOf } from '../core/errors.ts'
import type { RecordBatch } from '../core/record.ts'
import type { Outcome } from '../detect/threads/pool.ts'

/** Called with the bytes of a posted body. */
export default async function read(bytes: Uint8Array): Promise<Outcome<readonly RecordBatch[]>> {
  try {
    return { value: await readArrowBody(bytes) }
  } catch (error) {
    return {
      code: isSurprisalError(error) ? error.code : 'INTERNAL',
      message: messageOf(error),
      stack: error instanceof Error ? error.stack : undefined,
    }
  }
}
