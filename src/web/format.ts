const DASH = '–'

/** Each from the size on at which three digits of the unit below would round up to a thousand. */
const UNITS = [
  [999.5e9, 1e12, 'T'],
  [999.5e6, 1e9, 'G'],
  [999.5e3, 1e6, 'M'],
  [1e4, 1e3, 'k'],
] as const

/** 1234567 → 1.23 M; whole small numbers stay whole. */
export function compact(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return DASH
  const size = Math.abs(value)
  if (value < 0) return `−${compact(size)}`
  if (size >= 999.5e12) return size.toExponential(2)
  const unit = UNITS.find(([from]) => size >= from)
  if (unit !== undefined) return `${(value / unit[1]).toPrecision(3)} ${unit[2]}`
  if (Number.isInteger(value)) return value.toLocaleString('en')
  return size >= 100
    ? Math.round(value).toLocaleString('en')
    : size >= 1
      ? value.toFixed(1)
      : value.toPrecision(2)
}

/** A field's value with about four significant digits. */
export function valueText(value: string | number | boolean | null): string {
  if (value === null) return 'missing'
  if (typeof value !== 'number') return String(value)
  const size = Math.abs(value)
  if (size !== 0 && (size >= 1e7 || size < 1e-3)) return value.toExponential(2)
  return Number(value.toPrecision(5)).toLocaleString('en', { maximumFractionDigits: 4 }).replace('-', '−')
}

export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return DASH
  const value = share * 100
  return `${value !== 0 && Math.abs(value) < 0.1 ? value.toPrecision(2) : value.toFixed(value < 10 ? 2 : 1)} %`
}

/** A p-value as odds, from its score −log10 p: what people can picture. */
export function oneIn(score: number | null): string {
  if (score === null) return DASH
  if (score >= 9) return `1 in 10${superscript(Math.round(score))}`
  return `1 in ${compact(Math.round(10 ** score))}`
}

function superscript(whole: number): string {
  return String(whole).replace(/\d/g, (digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)])
}

export function ago(iso: string | null | undefined, now = Date.now()): string {
  if (!iso) return DASH
  const seconds = Math.round((now - Date.parse(iso)) / 1000)
  return seconds < 0 ? `in ${coarse(-seconds)}` : seconds < 2 ? 'now' : `${coarse(seconds)} ago`
}

/** Seconds in their largest unit. */
function coarse(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`
}

/** Seconds as the two largest of their units. */
export function span(seconds: number): string {
  const s = Math.max(0, Math.round(seconds))
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} min${s % 60 && s < 600 ? ` ${s % 60} s` : ''}`
  if (s < 86_400)
    return `${Math.floor(s / 3600)} h${Math.floor((s % 3600) / 60) ? ` ${Math.floor((s % 3600) / 60)} min` : ''}`
  return `${Math.floor(s / 86_400)} d`
}

/** A number with a true minus sign. */
export function signed(value: number | null | undefined, digits: number): string {
  return value === null || value === undefined ? DASH : value.toFixed(digits).replace('-', '−')
}

const TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const DATE = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })
const FULL = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })

/** The time of day, with the date where it is not today's. */
export function clock(iso: string | null | undefined): string {
  if (!iso) return DASH
  const date = new Date(iso)
  const today = new Date().toDateString() === date.toDateString()
  return today ? TIME.format(date) : `${DATE.format(date)} ${TIME.format(date)}`
}

export function day(iso: string): string {
  return DATE.format(new Date(iso))
}

export function fullTime(iso: string | null | undefined): string {
  return iso ? FULL.format(new Date(iso)) : DASH
}

export function bytes(size: number): string {
  return size < 1e6 ? `${(size / 1e3).toFixed(0)} kB` : `${(size / 1e6).toFixed(1)} MB`
}

/** NLLs and the like; null and what is no number as a dash. */
export function nats(value: unknown): string {
  return typeof value === 'number' && Number.isFinite(value) ? signed(value, 3) : DASH
}
