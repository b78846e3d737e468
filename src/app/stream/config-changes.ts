import { isDeepStrictEqual } from 'node:util'

export interface Change {
  /** `alerts.rate`, `sinks.0.queue` */
  readonly path: string
  /** undefined where the setting is gone. */
  readonly value: unknown
}

type Section = { [key: string]: unknown }

/** The settings in which `after` differs; lists of another length, and lists of plain values, are one setting. */
export function changesBetween(before: unknown, after: unknown, path = ''): Change[] {
  if (isDeepStrictEqual(before, after)) return []
  if (!isSection(before) || !isSection(after)) return [{ path, value: after }]
  const whole = Array.isArray(before) && !(Array.isArray(after) && isListOfSections(before, after))
  if (whole) return [{ path, value: after }]
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keys].flatMap((key) =>
    changesBetween(before[key], after[key], path === '' ? key : `${path}.${key}`),
  )
}

/** Writes a setting in place, so that whoever holds its section sees the new value. */
export function setAt(root: object, path: string, value: unknown): void {
  const keys = path.split('.')
  const last = keys.pop()!
  let section = root as Section
  for (const key of keys) section = section[key] as Section
  if (value === undefined) delete section[last]
  else section[last] = value
}

function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null
}

function isListOfSections(before: readonly unknown[], after: readonly unknown[]): boolean {
  return before.length === after.length && [...before, ...after].every(isSection)
}
