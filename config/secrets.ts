import { readFileSync } from 'node:fs'
import { messageOf, SurprisalError } from '../src/core/errors.ts'

/** Settings that may be written as `<name>_file: path`, the file holding the value. */
export const SECRETS = [
  'password',
  'url',
  'username',
  'token',
  'sasl.username',
  'sasl.password',
  'ssl.key.password',
] as const

/** Puts the content of `<secret>_file` (without its last line end) in place of it. CONFIG_INVALID where both are given. */
export function readSecrets(value: unknown, path: readonly string[] = []): unknown {
  if (Array.isArray(value)) return value.map((item, i) => readSecrets(item, [...path, String(i)]))
  if (typeof value !== 'object' || value === null) return value
  const given = value as Record<string, unknown>
  const entries = Object.entries(given).map(([key, item]) => {
    const secret = SECRETS.find((name) => key === `${name}_file`)
    if (secret === undefined) return [key, readSecrets(item, [...path, key])]
    const at = [...path, key].join('.')
    if (given[secret] !== undefined)
      throw new SurprisalError('CONFIG_INVALID', `${at}: give either ${secret} or ${key}`)
    return [secret, contentOf(String(item), at)]
  })
  return Object.fromEntries(entries)
}

function contentOf(file: string, at: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (cause) {
    throw new SurprisalError('CONFIG_INVALID', `${at}: ${file} cannot be read (${messageOf(cause)})`, {
      cause,
    })
  }
}
