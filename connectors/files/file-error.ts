import { SurprisalError } from '../../src/core/errors.ts'

/** An operating-system error on a file as a SurprisalError that names the file and the way out; others unchanged. */
export function fileError(error: unknown, path: string, doing: 'read' | 'write'): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code
  switch (code) {
    case 'ENOENT':
      return new SurprisalError(
        'FILE_NOT_FOUND',
        doing === 'read'
          ? `${path}: no such file`
          : `${path}: the folder does not exist; create it or choose another output`,
        { cause: error },
      )
    case 'EISDIR':
      return new SurprisalError('FILE_UNREADABLE', `${path} is a folder, not a file`, { cause: error })
    case 'ENOTDIR':
      return new SurprisalError('FILE_NOT_FOUND', `${path}: a part of this path is not a folder`, {
        cause: error,
      })
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new SurprisalError('FILE_UNREADABLE', `${path}: no permission to ${doing} it (${code})`, {
        cause: error,
      })
    case 'ENOSPC':
    case 'EDQUOT':
      return new SurprisalError(
        'DISK_FULL',
        `${path}: the disk is full (${code}); nothing was left behind. Free some space or write elsewhere`,
        { cause: error },
      )
    default:
      return error
  }
}

/** Runs an operation on a file and throws its errors as fileError states them. */
export async function onFile<T>(path: string, doing: 'read' | 'write', run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw fileError(error, path, doing)
  }
}
