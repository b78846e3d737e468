import { cell, type RecordBatch } from '../../core/record.ts'
import type { FieldSurprise } from '../../core/scored.ts'
import type { EncodedBatch, Level } from '../../features/encoded.ts'
import type { FeatureEncoder } from '../../features/encoder.ts'
import { logNeverSeen } from '../../features/encoder-state.ts'
import type { LineSummary } from './line.ts'
import { type Judged, ranked } from './ranking.ts'
import { type Alternatives, type ExactDensity, logSum, STATE_PRESENT, Variations } from './variations.ts'

/** Records that are explained together. */
const TOGETHER = 8
/** Coordinates that a wrong number may take: ± 5 robust standard deviations. */
const FAULTY_RANGE = 10

/**
 * Nats by which it is more probable that a number is wrong than that a known category stands for another: units, stuck,
 * stale and swapped values are what pipelines do to numbers, and what they take is as typical as any other number.
 */
const NUMBERS_FAIL = 5

/** Where numbers beside the heaps hold less, a heap is the whole of the central 95 %. */
const RARE = Math.log(0.025)
/** A rule was broken, whatever the density says. */
const BY_RULE = Number.POSITIVE_INFINITY

/**
 * The conditional surprise of each field of a record, −ln P(p(X_j | x_−j) ≤ p(x_j | x_−j)): how improbable it is that
 * the field would be at least as improbable as it is, the others being what they are. Unit-free, so that fields rank
 * whatever they measure. Numbers are tried on a grid of their encoded coordinate that is refined where the mass is;
 * of a category the levels are that hold the probability. A number with missing values or heaps is first judged by
 * which of these it is.
 *
 * Two fields that contradict each other can be equally surprising, and n records tell no probabilities below 1 / (n + 2)
 * apart. Of the fields that are so improbable, or within 1 nat of the top, that one comes first for which "it alone is
 * wrong" makes the record most probable: p(x_−j) / (values it could have taken), of numbers times e^5.
 */
export class Attribution {
  readonly #encoder: FeatureEncoder
  readonly #variations: Variations
  readonly #redacted: ReadonlySet<string>
  readonly #watched: ReadonlyMap<string, Level>
  /** Columns that look back: missing where the past is short, which is nobody's fault. */
  readonly #lookingBack: ReadonlySet<string>
  /** −log P of what training never saw. */
  readonly #never: number

  constructor(encoder: FeatureEncoder, density: ExactDensity, redact: readonly string[] = []) {
    this.#encoder = encoder
    this.#variations = new Variations(encoder, density)
    this.#redacted = new Set(redact)
    this.#never = -logNeverSeen(encoder.state.rows)
    this.#lookingBack = new Set(
      encoder.state.columns.flatMap((column) =>
        (column.kind === 'numeric' || column.kind === 'constant') && column.window ? [column.field] : [],
      ),
    )
    this.#watched = new Map(
      encoder.state.columns.flatMap((column) =>
        column.kind === 'constant' ? [[column.field, column.value] as const] : [],
      ),
    )
  }

  /** Every record of a batch: its most surprising field first; every modelled field, and constants that changed. */
  explain(batch: RecordBatch, encoded: EncodedBatch): FieldSurprise[][] {
    const found: FieldSurprise[][] = []
    for (let from = 0; from < batch.rows; from += TOGETHER) {
      const rows = Array.from({ length: Math.min(TOGETHER, batch.rows - from) }, (_, i) => from + i)
      const lines = this.#variations.lines(encoded, rows)
      const alternatives = this.#variations.alternatives(encoded, rows)
      for (const [i, row] of rows.entries())
        found.push(
          ranked(
            this.#withNotes(
              this.#explainRow(batch, row, lines[i], alternatives[i]),
              encoded.notes.get(row) ?? [],
            ),
            this.#never,
          ),
        )
    }
    return found
  }

  #explainRow(
    batch: RecordBatch,
    row: number,
    lines: ReadonlyMap<string, LineSummary>,
    alternatives: readonly (Alternatives | undefined)[],
  ): Judged[] {
    const { numeric, discrete } = this.#encoder.layout
    const found: Judged[] = []
    const unknown = (field: string) =>
      this.#lookingBack.has(field) && cell(batch.columns.get(field)!, row) === null
    for (const [field, value] of this.#watched) {
      const is = cell(batch.columns.get(field)!, row)
      if (is !== value && !unknown(field))
        found.push({ surprise: this.#surprise(batch, row, field, this.#never, value), logFaulty: BY_RULE })
    }
    const stated = new Set<string>()
    for (const [k, asked] of alternatives.entries()) {
      if (asked === undefined) continue
      const { field, role } = discrete[k]
      stated.add(field)
      if (unknown(field)) continue
      found.push(
        role === 'level'
          ? this.#level(batch, row, k, asked)
          : this.#state(batch, row, k, asked, lines.get(field)!),
      )
    }
    for (const { field } of numeric) {
      if (stated.has(field) || unknown(field)) continue
      const line = lines.get(field)
      found.push(
        line === undefined
          ? {
              surprise: this.#surprise(batch, row, field, this.#never, this.#encoder.expected(field, 0)),
              logFaulty: BY_RULE,
            }
          : {
              surprise: this.#number(batch, row, field, -line.logP, line),
              logFaulty: line.logMass + NUMBERS_FAIL - Math.log(FAULTY_RANGE),
            },
      )
    }
    return found
  }

  /** A number about which there is a note never was like this in training, however dense it is around it. */
  #withNotes(found: readonly Judged[], notes: readonly string[]): readonly Judged[] {
    if (notes.length === 0) return found
    const numbers = new Set(this.#encoder.layout.numeric.map(({ field }) => field))
    return found.map((one) => {
      const { field, surprise_nats } = one.surprise
      return numbers.has(field) && notes.some((note) => note.startsWith(`${field}: `))
        ? { ...one, surprise: { ...one.surprise, surprise_nats: Math.max(surprise_nats, this.#never) } }
        : one
    })
  }

  #level(batch: RecordBatch, row: number, column: number, { own, logMass }: Alternatives): Judged {
    const { field } = this.#encoder.layout.discrete[column]
    const total = logSum(logMass)
    const surprise = total - logSum(logMass.filter((m) => m <= logMass[own]))
    return {
      surprise: this.#surprise(batch, row, field, surprise, this.#likeliest(column, logMass)),
      logFaulty: total - Math.log(logMass.length),
    }
  }

  /**
   * A heap, a gap or a number: with t the own probability (of a number, P(a number) · P(at most this dense | a number)),
   * P = Σ of the heaps and gaps that are at most as probable as t, and min(t, P(a number)).
   */
  #state(
    batch: RecordBatch,
    row: number,
    column: number,
    { own: code, logMass: masses }: Alternatives,
    line: LineSummary,
  ): Judged {
    const { field } = this.#encoder.layout.discrete[column]
    const logMass = masses.slice()
    logMass[STATE_PRESENT] = line.logMass
    const total = logSum(logMass)
    const present = code === STATE_PRESENT
    const own = logMass[code] + (present ? line.logP : 0)
    const none = Number.NEGATIVE_INFINITY
    const rarer = logMass.map((m, i) => (i === STATE_PRESENT ? Math.min(m, own) : m <= own ? m : none))
    const surprise = total - logSum(rarer)
    const rare = line.logMass - total < RARE
    const numeric = !rare && (present || line.logMass === Math.max(...logMass))
    const heap = this.#likeliest(column, logMass)
    return {
      surprise: numeric
        ? this.#number(batch, row, field, surprise, line)
        : {
            ...this.#surprise(batch, row, field, surprise, heap),
            ...(rare &&
              typeof heap === 'number' &&
              !this.#redacted.has(field) && { normal_low: heap, normal_high: heap }),
          },
      logFaulty: total + NUMBERS_FAIL - Math.log(FAULTY_RANGE),
    }
  }

  #likeliest(column: number, logMass: Float64Array): Level {
    let best = 0
    for (let code = 1; code < logMass.length; code++) if (logMass[code] > logMass[best]) best = code
    return this.#encoder.levels(column)[best] ?? null
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

function shownValue(value: unknown): Level {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'string' || typeof value === 'boolean') return value
  return value === null ? null : String(value)
}
