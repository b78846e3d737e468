import { SurprisalError } from '../core/errors.ts'
import type { RecordBatch } from '../core/record.ts'
import { fitAnchors } from './anchors/anchor-fit.ts'
import { fitClock } from './columns/clock.ts'
import { fitLevel } from './columns/level.ts'
import { fitNumeric } from './columns/numeric.ts'
import type { DiscreteState } from './discrete/discrete.ts'
import { type Codes, fitDiscrete } from './discrete/discrete-fit.ts'
import type { EncodedBatch } from './encoded.ts'
import { FeatureEncoder } from './encoder.ts'
import { type ColumnState, layoutOf } from './encoder-state.ts'
import { analyseColumns, type Overrides, type ProfiledColumn } from './profile/profile.ts'
import { selectRows } from './select-rows.ts'

export interface FitEncoderOptions {
  /** What the user says about fields. */
  readonly overrides?: Overrides
  /** The time column; by default the first column of times, else the batches' event time. */
  readonly time?: string
  /** Per batch, 1 for each row that takes no part in the fit. */
  readonly rowWeightsExcluded?: readonly (Uint8Array | undefined)[]
}

/**
 * Learns an encoder: each column's kind and scaling, then the distribution of the discrete part. Throws
 * DATA_INSUFFICIENT where there are no records or no column with a density.
 */
export function fitEncoder(batches: readonly RecordBatch[], options: FitEncoderOptions = {}): FeatureEncoder {
  const { overrides = {}, time, rowWeightsExcluded: excluded } = options
  const kept = excluded === undefined ? batches : batches.map((batch, i) => withoutRows(batch, excluded[i]))
  const analysed = analyseColumns(kept, overrides, time)
  const rows = kept.reduce((sum, batch) => sum + batch.rows, 0)
  if (rows === 0) throw new SurprisalError('DATA_INSUFFICIENT', 'there are no records to learn from')
  const columns = statesOf(analysed, kept)
  const layout = layoutOf(columns)
  if (layout.numeric.length + layout.discrete.filter(({ role }) => role !== 'context').length === 0)
    throw new SurprisalError(
      'DATA_INSUFFICIENT',
      `no column has a density to learn: ${analysed
        .map(({ profile: { field, kind, why } }) => `${field} (${kind}: ${why})`)
        .join('; ')}. Give another kind, or data that varies`,
    )
  const profile = analysed.map((column) => column.profile)
  const given = layout.discrete.map(({ role }) => role === 'context')
  const blank: DiscreteState = {
    counts: layout.discrete.map(({ levels }) => new Array<number>(levels).fill(0)),
    parents: given.map(() => -1),
    pairs: given.map(() => []),
    given,
  }
  const draft = FeatureEncoder.fromState({ version: 1, rows, columns, discrete: blank, anchors: [], profile })
  if (given.length === 0) return draft
  const discrete = fitDiscrete(
    layout.discrete.map(({ levels }, k) => ({ levels, given: given[k] })),
    () => codesOf(draft, kept),
  )
  const anchors = fitAnchors(layout, () => encodedOf(draft, kept))
  return FeatureEncoder.fromState({ version: 1, rows, columns, discrete, anchors, profile })
}

function withoutRows(batch: RecordBatch, excluded: Uint8Array | undefined): RecordBatch {
  if (excluded === undefined) return batch
  const rows = Array.from({ length: batch.rows }, (_, row) => row).filter((row) => excluded[row] !== 1)
  return selectRows(batch, rows)
}

function statesOf(analysed: readonly ProfiledColumn[], batches: readonly RecordBatch[]): ColumnState[] {
  const columns = analysed.flatMap(stateOf)
  if (columns.some(({ kind }) => kind === 'clock')) return columns
  const span = eventSpan(batches)
  if (span === null) return columns
  return [...columns, fitClock(null, { ...span, missing: 0, numbers: true })]
}

function stateOf({ profile, levels }: ProfiledColumn): ColumnState[] {
  const { field, kind, context, since, source, window } = profile
  switch (kind) {
    case 'numeric':
    case 'integer':
    case 'low-cardinality': {
      const values = levels.flatMap(({ value }) =>
        typeof value === 'number' || value === null ? [value] : [],
      )
      const number = fitNumeric(profile, kind === 'low-cardinality' ? values : null)
      return [context ? { kind: 'context-number', field, number } : number]
    }
    case 'boolean':
    case 'category':
      return [fitLevel(profile, levels)]
    case 'timestamp':
      return since === null
        ? [fitClock(field, { ...profile, numbers: source === 'number' })]
        : [fitNumeric(profile, null)]
    case 'constant':
      return context ? [] : [constantOf(field, levels, window)]
    case 'identifier':
    case 'ignored':
      return []
  }
}

function constantOf(
  field: string,
  levels: ProfiledColumn['levels'],
  window: ProfiledColumn['profile']['window'],
): ColumnState {
  const held = window ? levels.find(({ value }) => value !== null) : levels[0]
  return { kind: 'constant', field, value: held?.value ?? null, ...(window && { window: true }) }
}

function eventSpan(
  batches: readonly RecordBatch[],
): { span: readonly [number, number]; hours: number } | null {
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  const hours = new Set<number>()
  for (const { eventTime } of batches) {
    for (const ms of eventTime ?? []) {
      if (!Number.isFinite(ms)) continue
      if (ms < first) first = ms
      if (ms > last) last = ms
      hours.add(Math.floor(ms / 3_600_000) % 24)
    }
  }
  return first <= last ? { span: [first, last], hours: hours.size } : null
}

/** The batches encoded one after the other, each in the buffers of the one before. */
function* encodedOf(encoder: FeatureEncoder, batches: readonly RecordBatch[]): Generator<EncodedBatch> {
  let encoded: EncodedBatch | undefined
  for (const batch of batches) {
    encoded = encoder.encode(batch, encoded)
    yield encoded
  }
}

/** Codes of the rows that can be scored. */
function* codesOf(encoder: FeatureEncoder, batches: readonly RecordBatch[]): Generator<Codes> {
  const width = encoder.layout.discrete.length
  for (const { codes, unscored, rows: of } of encodedOf(encoder, batches)) {
    let rows = 0
    for (let row = 0; row < of; row++) {
      if (unscored.has(row)) continue
      if (rows !== row) codes.copyWithin(rows * width, row * width, (row + 1) * width)
      rows++
    }
    yield { rows, codes }
  }
}
