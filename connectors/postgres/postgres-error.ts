import { messageOf, SurprisalError } from '../../src/core/errors.ts'

/** What PostgreSQL or the way to it said, as an error that tells whether trying again may help. */
export function postgresError(error: unknown): SurprisalError {
  if (error instanceof SurprisalError) return error
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  const message = messageOf(error) || code
  const cause = { cause: error }
  if (/^(53100|ENOSPC)$/.test(code))
    return new SurprisalError('DISK_FULL', `the disk of PostgreSQL is full: ${message}`, cause)
  if (/^(28|3D|42501)/.test(code))
    return new SurprisalError('SERVICE_REFUSED', `PostgreSQL refused: ${message}`, cause)
  if (
    /^(E[A-Z]+|08|57P|53300)/.test(code) ||
    /timeout|terminated|not queryable|Connection ended/i.test(message)
  )
    return new SurprisalError('SERVICE_UNREACHABLE', `PostgreSQL does not answer: ${message}`, cause)
  return new SurprisalError('STORE_FAILED', `PostgreSQL failed: ${message}`, cause)
}
