import { parseTime } from '../../../src/core/parse-time.ts'

const UNIT = { s: 1000, ms: 1, us: 1e-3, ns: 1e-6 } as const

/** Reads `a.b.0.c` from a decoded value: a key that holds the whole rest of the path wins; inherited ones never. */
export function pathReader(path: string): (value: unknown) => unknown {
  const parts = path.split('.')
  if (parts.length === 1) return (value) => own(value, path)
  return (value) => {
    const whole = own(value, path)
    if (whole !== undefined) return whole
    let at = value
    for (const part of parts) {
      at = own(at, part)
      if (at === undefined) return undefined
    }
    return at
  }
}

function own(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  return (value as Record<string, unknown>)[key]
}

/** Milliseconds since the epoch of a field: a number in `unit`, a Date, or text that names a time; NaN where it is neither. */
export function eventTimeReader(path: string, unit: keyof typeof UNIT): (value: unknown) => number {
  const read = pathReader(path)
  return (value) => {
    const time = read(value)
    if (typeof time === 'number') return time * UNIT[unit]
    if (typeof time === 'bigint') return Number(time) * UNIT[unit]
    if (time instanceof Date) return time.getTime()
    return typeof time === 'string' ? parseTime(time) : Number.NaN
  }
}

const MAX_DEPTH = 8

/** Calls `visit` for every leaf of a decoded value with its path; what lies deeper than 8 levels is left out. */
export function eachLeaf(
  value: unknown,
  visit: (path: string, leaf: unknown) => void,
  at = '',
  depth = 0,
): void {
  if (typeof value !== 'object' || value === null || value instanceof Date) {
    if (at !== '') visit(at, value)
    return
  }
  if (depth === MAX_DEPTH) return
  for (const key of Object.keys(value))
    eachLeaf((value as Record<string, unknown>)[key], visit, at === '' ? key : `${at}.${key}`, depth + 1)
}
