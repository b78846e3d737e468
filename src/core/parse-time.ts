const CLOCK = String.raw`\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?`
const ZONE = String.raw`Z|[+-]\d{2}:?\d{2}`
const ISO = new RegExp(String.raw`^(\d{4})([-/.])(\d{2})\2(\d{2})(?:[T ](${CLOCK})(${ZONE})?)?$`)
const WEEKDAY = String.raw`^(?:[A-Z][a-z]{2,8},?\s+)?`
const REST = String.raw`(?:[\s,:T]+(?<clock>${CLOCK}))?(?:\s*(?:UTC|GMT)?(?<zone>${ZONE})?)?$`
const DAY_FIRST = new RegExp(
  String.raw`${WEEKDAY}(?<day>\d{1,2})(?<between>[\s/-])(?<month>[A-Za-z]{3,9})\k<between>(?<year>\d{4})${REST}`,
)
const MONTH_FIRST = new RegExp(
  String.raw`${WEEKDAY}(?<month>[A-Za-z]{3,9})\.?\s+(?<day>\d{1,2}),?\s+(?<year>\d{4})${REST}`,
)
const MONTHS = [
  ...['january', 'february', 'march', 'april', 'may', 'june', 'july'],
  ...['august', 'september', 'october', 'november', 'december'],
]

/**
 * Milliseconds since the epoch of a text that names one day beyond doubt, or NaN: ISO 8601 (2024-05-06, 2024/05/06,
 * 2024-05-06T07:08:09.123+02:00) or the month as an English word (6 May 2024, May 06, 2024 07:08, 06-May-2024, RFC 5322,
 * the common log format). UTC where no zone is given, on every machine. 05/06/2024 is not told from 06/05/2024: NaN.
 */
export function parseTime(text: string): number {
  const iso = ISO.exec(text)
  if (iso !== null) return timeOf(iso[1], Number(iso[3]), Number(iso[4]), iso[5], iso[6])
  const parts = (DAY_FIRST.exec(text) ?? MONTH_FIRST.exec(text))?.groups
  if (parts === undefined) return Number.NaN
  return timeOf(parts.year, monthNamed(parts.month), Number(parts.day), parts.clock, parts.zone)
}

/** Whether a text reads like a date whose day and month, or century, only its writer knows: 05/06/2024, 5.6.2024, 5-6-24. */
export function isUnclearDate(text: string): boolean {
  return /^\d{1,2}(?:([/-])\d{1,2}\1(?:\d{4}|\d{2})|\.\d{1,2}\.\d{4})(?:[ T,].*)?$/.test(text)
}

function monthNamed(word: string): number {
  return MONTHS.findIndex((month) => month.startsWith(word.toLowerCase())) + 1
}

function timeOf(year: string, month: number, day: number, clock = '00:00', zone = 'Z'): number {
  if (day > 28 && day > new Date(Date.UTC(Number(year), month, 0)).getUTCDate()) return Number.NaN
  return Date.parse(`${year}-${padded(month)}-${padded(day)}T${clock}${zone}`)
}

function padded(part: number): string {
  return String(part).padStart(2, '0')
}
