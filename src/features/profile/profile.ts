import { SurprisalError } from '../../core/errors.ts'
import type { RecordBatch } from '../../core/record.ts'
import { type NumberSummary, summarise } from '../columns/number-summary.ts'
import type { Level } from '../encoded.ts'
import { type ColumnKind, decideKind, decideWindow, type WindowKind } from './column-kind.ts'
import { ColumnScan, FEW } from './column-scan.ts'
import { RowSample } from './row-sample.ts'

/** What a user says about a field instead of the rules. */
export interface ColumnOverride {
  readonly kind?: Exclude<ColumnKind, 'constant'>
  readonly ignore?: boolean
  /** Condition on the column without modelling it. */
  readonly context?: boolean
  /**
   * Looks back on the stream: a missing value says that the past is short, and is no event. `past` tells of earlier
   * records alone, `level` of what they were like on average or at most, `own` of how this one differs from them.
   */
  readonly window?: WindowKind
  /** Why, for people. */
  readonly why?: string
}
export type Overrides = Readonly<Record<string, ColumnOverride>>

/** How the values of a column are stored. */
export type ValueSource = 'number' | 'boolean' | 'text' | 'time'

/** What the rules found in a column. Plain JSON. */
export interface ColumnProfile {
  readonly field: string
  readonly kind: ColumnKind
  /** The rule that chose the kind, for people. */
  readonly why: string
  readonly source: ValueSource
  readonly context: boolean
  /** Looks back on the stream (ColumnOverride). */
  readonly window?: WindowKind
  readonly rows: number
  readonly missing: number
  readonly nan: number
  readonly infinite: number
  /** Different values; for numbers counted up to 65, which stands for "many". */
  readonly distinct: number
  /** Kinds numeric, integer, low-cardinality; a later timestamp's seconds since the first one. */
  readonly numbers: NumberSummary | null
  /** A later timestamp is modelled as the seconds since this field. */
  readonly since: string | null
  /** First and last point in time, milliseconds. */
  readonly span: readonly [number, number] | null
  /** Hours of the day seen (sampled); 1 says that times carry dates alone. */
  readonly hours: number
}

/** A profile with the counts that only the encoder's fit needs. */
export interface ProfiledColumn {
  readonly profile: ColumnProfile
  readonly levels: readonly { readonly value: Level; readonly count: number }[]
}

const SAMPLE = 65_536
const SEED = 20_210_331

/**
 * One profile per column, in order of first sight, from one pass; quantiles, steps and atoms come from a seeded
 * sample of 65,536 rows. Throws SCHEMA_MISMATCH when an override names a column that is not there.
 */
export function profileColumns(batches: Iterable<RecordBatch>, overrides: Overrides = {}): ColumnProfile[] {
  return analyseColumns(batches, overrides).map(({ profile }) => profile)
}

export function analyseColumns(
  batches: Iterable<RecordBatch>,
  overrides: Overrides = {},
  time?: string,
): ProfiledColumn[] {
  const sample = new RowSample(SAMPLE, SEED)
  const scans = new Map<string, ColumnScan>()
  let rows = 0
  for (const batch of batches) {
    const picks = sample.take(batch.rows)
    for (const [name, column] of batch.columns) {
      let scan = scans.get(name)
      if (scan === undefined) {
        scan = new ColumnScan(SAMPLE, rows, countsAll(overrides[name]) ? Number.MAX_SAFE_INTEGER : FEW)
        scans.set(name, scan)
      }
      scan.scan(column, batch.rows, picks)
    }
    for (const [name, scan] of scans) if (!batch.columns.has(name)) scan.absent(batch.rows, picks)
    rows += batch.rows
  }
  for (const name of [...Object.keys(overrides), ...(time === undefined ? [] : [time])]) {
    if (!scans.has(name))
      throw new SurprisalError(
        'SCHEMA_MISMATCH',
        `column "${name}" is configured and missing; the data has: ${[...scans.keys()].join(', ')}`,
      )
  }
  const decided = [...scans].map(([field, scan]) => ({ field, scan, ...decide(scan, overrides[field]) }))
  const clock = time ?? decided.find(({ kind }) => kind === 'timestamp')?.field
  return decided.map(({ field, scan, kind, why }) => {
    const since = kind === 'timestamp' && field !== clock && clock !== undefined ? clock : null
    const numbers = numbersOf(kind, scan, since === null ? undefined : scans.get(since))
    const levels = ['boolean', 'category', 'low-cardinality', 'constant'].includes(kind) ? scan.levels() : []
    return {
      levels,
      profile: {
        field,
        kind,
        why,
        source: sourceOf(scan),
        context: overrides[field]?.context ?? false,
        ...(overrides[field]?.window && { window: overrides[field].window }),
        rows: scan.rows,
        missing: scan.missing,
        nan: scan.nan,
        infinite: scan.infinite,
        distinct: scan.numbers.size + scan.texts.size + scan.booleans.filter((count) => count > 0).length,
        numbers,
        since,
        span: kind === 'timestamp' ? spanOf(scan.sample) : null,
        hours: kind === 'timestamp' ? hoursOf(scan.sample) : 0,
      },
    }
  })
}

function countsAll(override: ColumnOverride | undefined): boolean {
  return override?.kind === 'category' || override?.kind === 'low-cardinality'
}

function decide(scan: ColumnScan, override: ColumnOverride | undefined): { kind: ColumnKind; why: string } {
  if (override?.ignore) return { kind: 'ignored', why: override.why ?? 'ignored as configured' }
  const found = override?.window ? decideWindow(scan, override.window) : decideKind(scan)
  if (override?.kind !== undefined && override.kind !== found.kind)
    return {
      kind: override.kind,
      why: `${override.kind} as configured; the rules say ${found.kind}: ${found.why}`,
    }
  if (override?.context && found.kind === 'identifier')
    return { kind: scan.texts.size > 0 ? 'category' : 'integer', why: `context as configured; ${found.why}` }
  return found
}

function sourceOf({ kinds }: ColumnScan): ValueSource {
  const most = Math.max(kinds.number, kinds.boolean, kinds.string, kinds.timestamp)
  if (most === kinds.number) return 'number'
  if (most === kinds.timestamp) return 'time'
  return most === kinds.string ? 'text' : 'boolean'
}

function numbersOf(kind: ColumnKind, scan: ColumnScan, first: ColumnScan | undefined): NumberSummary | null {
  const { single, sample } = scan
  if (kind === 'numeric' || kind === 'integer') return summarise(sample, { single })
  if (kind === 'low-cardinality') return summarise(sample, { single, atoms: false })
  if (first === undefined) return null
  return summarise(
    sample.map((x, i) => (x - first.sample[i]) / 1000),
    { single: false },
  )
}

function spanOf(sample: Float64Array): [number, number] | null {
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  for (const ms of sample) {
    if (ms < first) first = ms
    if (ms > last) last = ms
  }
  return first <= last ? [first, last] : null
}

function hoursOf(sample: Float64Array): number {
  const seen = new Set<number>()
  for (const ms of sample) if (!Number.isNaN(ms)) seen.add(Math.floor(ms / 3_600_000) % 24)
  return seen.size
}
