import { cell, type RecordBatch } from '../core/record.ts'
import type { FieldSurprise } from '../core/scored.ts'
import type { EncodedBatch, Level } from '../features/encoded.ts'
import type { FeatureEncoder } from '../features/encoder.ts'
import { logNeverSeen } from '../features/encoder-state.ts'
import { type LineSummary, sketchLines, summariseLine } from './line.ts'
import { Tile } from './tile.ts'

/** [rows], nats: the exact density of encoded records, P(discrete part) included, without Jacobians. */
export type ExactDensity = (encoded: EncodedBatch) => Float64Array

/** Levels of a category that are tried, the most probable first. */
const MOST_LEVELS = 128
const STATE_PRESENT = 1

/** The mass of each alternative of a discrete column, the record's own included; nats. */
interface Alternatives {
  readonly codes: readonly number[]
  readonly logMass: Float64Array
}

/**
 * The conditional surprise of each field of a record, −ln P(p(X_j | x_−j) ≤ p(x_j | x_−j)): how improbable it is that
 * the field would be at least as improbable as it is, the others being what they are. Unit-free, so that fields rank
 * whatever they measure. Numbers are tried on a grid of their encoded coordinate that is refined where the mass is;
 * of a category all levels are. A number with missing values or heaps is first judged by which of these it is.
 */
export class Attribution {
  readonly #encoder: FeatureEncoder
  readonly #density: ExactDensity
  readonly #redacted: ReadonlySet<string>
  readonly #watched: ReadonlyMap<string, Level>
  /** −log P of what training never saw. */
  readonly #never: number

  constructor(encoder: FeatureEncoder, density: ExactDensity, redact: readonly string[] = []) {
    this.#encoder = encoder
    this.#density = density
    this.#redacted = new Set(redact)
    this.#never = -logNeverSeen(encoder.state.rows)
    this.#watched = new Map(
      encoder.state.columns.flatMap((column) =>
        column.kind === 'constant' ? [[column.field, column.value] as const] : [],
      ),
    )
  }

  /** Most surprising field first; every modelled field once, and constants that changed. */
  explain(batch: RecordBatch, encoded: EncodedBatch, row: number): FieldSurprise[] {
    const { numeric, discrete } = this.#encoder.layout
    const lines = this.#lines(encoded, row)
    const found: FieldSurprise[] = []
    for (const [field, value] of this.#watched) {
      const is = cell(batch.columns.get(field)!, row)
      if (is !== value) found.push(this.#surprise(batch, row, field, this.#never, value))
    }
    const stated = new Set<string>()
    for (const [k, { field, role }] of discrete.entries()) {
      if (role === 'context') continue
      stated.add(field)
      found.push(
        role === 'level'
          ? this.#explainLevel(batch, encoded, row, k)
          : this.#explainState(batch, encoded, row, k, lines.get(field)),
      )
    }
    for (const { field } of numeric) {
      if (stated.has(field)) continue
      const line = lines.get(field)
      found.push(
        line === undefined
          ? this.#surprise(batch, row, field, this.#never, this.#encoder.expected(field, 0))
          : this.#number(batch, row, field, -line.logP, line),
      )
    }
    return sorted(this.#withNotes(found, encoded.notes.get(row) ?? []))
  }

  /** A number about which there is a note never was like this in training, however dense it is around it. */
  #withNotes(found: readonly FieldSurprise[], notes: readonly string[]): FieldSurprise[] {
    if (notes.length === 0) return [...found]
    const numbers = new Set(this.#encoder.layout.numeric.map(({ field }) => field))
    return found.map((one) =>
      numbers.has(one.field) && notes.some((note) => note.startsWith(`${one.field}: `))
        ? { ...one, surprise_nats: Math.max(one.surprise_nats, this.#never) }
        : one,
    )
  }

  /** One sketched line per number column with a continuous part in this row. */
  #lines(encoded: EncodedBatch, row: number): Map<string, LineSummary> {
    const { layout } = this.#encoder
    const width = layout.numeric.length
    const columns = [...layout.numeric.keys()].filter(
      (i) => !layout.numeric[i].lowCardinality && !Number.isNaN(encoded.numeric[row * width + i]),
    )
    const actual = Float64Array.from(columns, (i) => encoded.numeric[row * width + i])
    const lines = sketchLines(actual, (points) => {
      const rows = points.reduce((sum, p) => sum + p.length, 0)
      const tile = new Tile(encoded, row, rows, layout)
      let at = 0
      for (const [j, own] of points.entries()) for (const u of own) tile.setNumber(at++, columns[j], u)
      const density = this.#density(tile)
      return points.map((own, j) => {
        const from = points.slice(0, j).reduce((sum, p) => sum + p.length, 0)
        return density.slice(from, from + own.length)
      })
    })
    return new Map(lines.map((line, j) => [layout.numeric[columns[j]].field, summariseLine(line, actual[j])]))
  }

  #explainLevel(batch: RecordBatch, encoded: EncodedBatch, row: number, column: number): FieldSurprise {
    const { field } = this.#encoder.layout.discrete[column]
    const { codes, logMass } = this.#alternatives(encoded, row, column, MOST_LEVELS)
    const own = codes.indexOf(this.#codeOf(encoded, row, column))
    const best = codes[logMass.indexOf(Math.max(...logMass))]
    const expected = this.#encoder.levels(column)[best] ?? null
    return this.#surprise(batch, row, field, -logRarer(logMass, own), expected)
  }

  /**
   * A heap, a gap or a number: with t the own probability (of a number, P(a number) · P(at most this dense | a number)),
   * P = Σ of the heaps and gaps that are at most as probable as t, and min(t, P(a number)).
   */
  #explainState(
    batch: RecordBatch,
    encoded: EncodedBatch,
    row: number,
    column: number,
    known: LineSummary | undefined,
  ): FieldSurprise {
    const { field } = this.#encoder.layout.discrete[column]
    const { codes, logMass } = this.#alternatives(encoded, row, column, Number.POSITIVE_INFINITY)
    const code = this.#codeOf(encoded, row, column)
    const present = codes.indexOf(STATE_PRESENT)
    const summary = known ?? this.#presentLine(encoded, row, column)
    logMass[present] = summary.logMass
    const total = logSum(logMass)
    const own = logMass[codes.indexOf(code)] + (code === STATE_PRESENT ? summary.logP : 0)
    const none = Number.NEGATIVE_INFINITY
    const rarer = logMass.map((m, i) => (i === present ? Math.min(m, own) : m <= own ? m : none))
    const surprise = total - logSum(rarer)
    if (code === STATE_PRESENT && known !== undefined)
      return this.#number(batch, row, field, surprise, summary)
    const best = codes[logMass.indexOf(Math.max(...logMass))]
    if (best === STATE_PRESENT) return this.#number(batch, row, field, surprise, summary)
    return this.#surprise(batch, row, field, surprise, this.#encoder.levels(column)[best] ?? null)
  }

  /** The line of a number that this row does not have, as if it had one. */
  #presentLine(encoded: EncodedBatch, row: number, column: number): LineSummary {
    const { layout, discrete } = this.#encoder
    const { field } = layout.discrete[column]
    const i = layout.numeric.findIndex((numeric) => numeric.field === field)
    const one = new Tile(encoded, row, 1, layout)
    const logDiscrete = discrete.logProbOfLevels(one.codes, column)
    const rest = one.logDiscrete[0] - logDiscrete[this.#codeOf(encoded, row, column)]
    one.setCode(0, column, STATE_PRESENT, logDiscrete[STATE_PRESENT] + rest)
    const [line] = sketchLines(Float64Array.of(0), ([points]) => {
      const tile = new Tile(one, 0, points.length, layout)
      for (const [at, u] of points.entries()) tile.setNumber(at, i, u)
      return [this.#density(tile)]
    })
    return summariseLine(line, 0)
  }

  #alternatives(encoded: EncodedBatch, row: number, column: number, most: number): Alternatives {
    const { layout, discrete } = this.#encoder
    const width = layout.discrete.length
    const codes = encoded.codes.subarray(row * width, (row + 1) * width)
    const logDiscrete = discrete.logProbOfLevels(codes, column)
    const rest = encoded.logDiscrete[row] - logDiscrete[codes[column]]
    let tried = Array.from(logDiscrete.keys())
    if (layout.discrete[column].role === 'state')
      tried = tried.filter((code) => code > 0 || codes[column] === 0)
    if (tried.length > most) {
      tried.sort((a, b) => logDiscrete[b] - logDiscrete[a])
      tried = [...new Set([codes[column], ...tried.slice(0, most)])]
    }
    const tile = new Tile(encoded, row, tried.length, layout)
    for (const [i, code] of tried.entries()) tile.setCode(i, column, code, logDiscrete[code] + rest)
    if (layout.discrete[column].role === 'state') {
      const at = layout.numeric.findIndex(({ field }) => field === layout.discrete[column].field)
      for (const [i, code] of tried.entries()) if (code !== STATE_PRESENT) tile.setNumber(i, at, Number.NaN)
    }
    return { codes: tried, logMass: this.#density(tile).slice() }
  }

  #codeOf(encoded: EncodedBatch, row: number, column: number): number {
    return encoded.codes[row * this.#encoder.layout.discrete.length + column]
  }

  #number(
    batch: RecordBatch,
    row: number,
    field: string,
    surprise: number,
    { median, low, high }: LineSummary,
  ): FieldSurprise {
    const masked = this.#redacted.has(field)
    return {
      ...this.#surprise(batch, row, field, surprise, this.#encoder.expected(field, median)),
      normal_low: masked ? null : this.#encoder.expected(field, low),
      normal_high: masked ? null : this.#encoder.expected(field, high),
    }
  }

  #surprise(
    batch: RecordBatch,
    row: number,
    field: string,
    surprise: number,
    expected: Level,
  ): FieldSurprise {
    const masked = this.#redacted.has(field)
    return {
      field,
      surprise_nats: Math.max(0, surprise),
      value: masked ? null : shownValue(cell(batch.columns.get(field)!, row)),
      expected: masked ? null : expected,
      normal_low: null,
      normal_high: null,
    }
  }
}

function sorted(found: FieldSurprise[]): FieldSurprise[] {
  return found.sort((a, b) => b.surprise_nats - a.surprise_nats || (a.field < b.field ? -1 : 1))
}

/** ln of the share of the alternatives that are at most as probable as alternative `own`. */
function logRarer(logMass: Float64Array, own: number): number {
  return logSum(logMass.filter((m) => m <= logMass[own])) - logSum(logMass)
}

function logSum(values: Float64Array): number {
  let peak = Number.NEGATIVE_INFINITY
  for (const value of values) peak = Math.max(peak, value)
  let sum = 0
  for (const value of values) sum += Math.exp(value - peak)
  return peak + Math.log(sum)
}

function shownValue(value: unknown): Level {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'string' || typeof value === 'boolean') return value
  return value === null ? null : String(value)
}
