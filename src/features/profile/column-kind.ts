import { isUnclearDate, parseTime } from '../../core/parse-time.ts'
import { parseNumber, shown } from '../columns/text.ts'
import type { ColumnScan } from './column-scan.ts'

export type ColumnKind =
  | 'numeric'
  | 'integer'
  | 'low-cardinality'
  | 'boolean'
  | 'category'
  | 'timestamp'
  | 'constant'
  | 'identifier'
  | 'ignored'

/** What a column that looks back on the stream tells of (ColumnOverride). */
export type WindowKind = 'past' | 'level' | 'own'

/** A kind and the rule that chose it, for people. */
export interface Decision {
  readonly kind: ColumnKind
  readonly why: string
}

const DOMINANT = 0.95
const FEW_LEVELS = 8
const PER_LEVEL = 10
const UNIQUE = 0.9
const IDENTIFIER_ROWS = 100
/** 2000-01-01 and 2100-01-01 in milliseconds. */
const EPOCH_MS = { from: 946_684_800_000, to: 4_102_444_800_000 }

/** Decides a column's kind by rules that look at its values alone, never at its name. */
export function decideKind(scan: ColumnScan): Decision {
  const present = scan.rows - scan.missing
  if (present === 0) return { kind: 'constant', why: `missing in all ${scan.rows} records` }
  if (scan.kinds.number > 0 && scan.nan + scan.infinite === present)
    return { kind: 'ignored', why: 'holds no finite number' }
  const [type, count] = Object.entries(scan.kinds).reduce((a, b) => (b[1] > a[1] ? b : a))
  if (count < DOMINANT * present)
    return { kind: 'ignored', why: `holds values of several types (${typesOf(scan)})` }
  switch (type) {
    case 'string':
      return decideText(scan, present)
    case 'boolean':
      return constant(scan) ?? { kind: 'boolean', why: `true in ${scan.booleans[1]} of ${present} records` }
    case 'timestamp':
      return { kind: 'timestamp', why: 'holds points in time' }
    case 'number':
      return decideNumber(scan, present)
    default:
      return { kind: 'ignored', why: 'holds objects or lists, which have no density here' }
  }
}

/** Of a column that looks back: what it is where the past is long enough. */
export function decideWindow(scan: ColumnScan, window: WindowKind): Decision {
  if (scan.missing === scan.rows) return { kind: 'ignored', why: 'no record has so long a past' }
  if (scan.numbers.size === 1)
    return {
      kind: window === 'own' ? 'constant' : 'ignored',
      why: `always ${shown([...scan.numbers.keys()][0])}`,
    }
  return { kind: 'numeric', why: 'looks back on the stream' }
}

function constant(scan: ColumnScan): Decision | undefined {
  const levels = scan.levels()
  if (levels[0]?.count !== scan.rows) return undefined
  return { kind: 'constant', why: `always ${shown(levels[0].value)}` }
}

function decideText(scan: ColumnScan, present: number): Decision {
  const same = constant(scan)
  if (same !== undefined) return same
  const texts = [...scan.texts.keys()]
  if (texts.every((text) => !Number.isNaN(parseTime(text))))
    return { kind: 'timestamp', why: 'every text is a time' }
  if (texts.every(isUnclearDate))
    return { kind: 'ignored', why: `dates like ${shown(texts[0])} may mean two days: write ISO 8601` }
  if (texts.some((text) => /[.eE]/.test(text)) && texts.every((text) => !Number.isNaN(parseNumber(text))))
    return { kind: 'numeric', why: 'every text is a number, some with a fraction' }
  if (scan.textsOverflow) return { kind: 'identifier', why: `over ${texts.length} different texts` }
  if (present >= 20 && texts.length >= UNIQUE * present)
    return { kind: 'identifier', why: `${texts.length} different texts in ${present} records` }
  return { kind: 'category', why: `${texts.length} different texts in ${present} records` }
}

function decideNumber(scan: ColumnScan, present: number): Decision {
  const same = constant(scan)
  if (same !== undefined) return same
  if (scan.numbers.size <= FEW_LEVELS && present >= PER_LEVEL * scan.numbers.size)
    return { kind: 'low-cardinality', why: `${scan.numbers.size} different numbers in ${present} records` }
  if (!scan.whole) return { kind: 'numeric', why: 'holds numbers with fractions' }
  if (scan.min >= EPOCH_MS.from && scan.max < EPOCH_MS.to)
    return { kind: 'timestamp', why: 'whole numbers that read as milliseconds between 2000 and 2100' }
  const unmissed = scan.missing === 0 && scan.rows >= IDENTIFIER_ROWS
  if (unmissed && scan.increasing) return { kind: 'identifier', why: 'whole numbers that only ever increase' }
  if (unmissed && denselyUnique(scan))
    return { kind: 'identifier', why: 'whole numbers that never repeat and leave few gaps' }
  return { kind: 'integer', why: 'holds whole numbers' }
}

function denselyUnique({ sample, rows, min, max }: ColumnScan): boolean {
  if (max - min >= 2 * rows) return false
  const values = sample.filter((x) => !Number.isNaN(x))
  return new Set(values).size === values.length
}

function typesOf(scan: ColumnScan): string {
  return Object.entries(scan.kinds)
    .filter(([, count]) => count > 0)
    .map(([type, count]) => `${count} ${type}`)
    .join(', ')
}
