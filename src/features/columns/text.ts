const DECIMAL = /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/
const ISO = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/

/** A decimal number in text, or NaN. Hexadecimal, blanks, "Infinity" and thousands separators are not numbers. */
export function parseNumber(text: string): number {
  return DECIMAL.test(text) ? Number(text) : Number.NaN
}

/** Milliseconds since the epoch of an ISO 8601 date or date and time (UTC where no zone is given), or NaN. */
export function parseTime(text: string): number {
  if (!ISO.test(text)) return Number.NaN
  const zoned = text.length === 10 || /(Z|[+-]\d{2}:?\d{2})$/.test(text)
  return Date.parse(zoned ? text.replace(' ', 'T') : `${text.replace(' ', 'T')}Z`)
}

/** A value in a message: quoted, cut to a length that a log line bears. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'missing'
  if (typeof value === 'string') return `'${value.length > 60 ? `${value.slice(0, 57)}…` : value}'`
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid date' : value.toISOString()
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'an object'
  return String(value)
}
