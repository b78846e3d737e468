import { SurprisalError } from './errors.ts'

const RULE = /^[a-z0-9](?:[a-z0-9._-]{0,126}[a-z0-9])?$/i

/** Model and pipeline names become file names, Redis keys and URLs: 1–128 of A–Z a–z 0–9 . _ -, no dots in a row. */
export function assertModelName(name: string): void {
  if (!RULE.test(name) || name.includes('..')) {
    throw new SurprisalError(
      'QUERY_INVALID',
      `${JSON.stringify(name.slice(0, 140))} is no model name: use 1 to 128 letters, digits, ".", "_" or "-", starting and ending with a letter or digit`,
    )
  }
}

export function assertModelVersion(version: number): void {
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new SurprisalError('QUERY_INVALID', `${version} is no model version: versions are integers from 1`)
  }
}
