export interface Change {
  /** Keys joined by dots. */
  readonly path: string
  readonly from: unknown
  readonly to: unknown
}

/** The leaves in which two JSON values differ, by path; an absent leaf is null. Lists are compared as a whole. */
export function summaryDiff(from: unknown, to: unknown, path: readonly string[] = []): Change[] {
  if (isObject(from) && isObject(to)) {
    const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort()
    return keys.flatMap((key) => summaryDiff(own(from, key), own(to, key), [...path, key]))
  }
  if (JSON.stringify(from) === JSON.stringify(to)) return []
  return [{ path: path.join('.'), from: from ?? null, to: to ?? null }]
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function own(value: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined
}
