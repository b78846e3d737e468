import type { RecordBatch } from '../../core/record.ts'
import type { EncodedBatch } from '../../features/encoded.ts'
import type { FeatureEncoder } from '../../features/encoder.ts'
import { type FitEncoderOptions, fitEncoder } from '../../features/encoder-fit.ts'
import { selectRows } from '../../features/select-rows.ts'
import { timesOf } from '../entities/stream-times.ts'

type Values = Float32Array | Float64Array | Int32Array

/**
 * The sampled records of a fit: batches in order, rows numbered through. The last `certain` rows are those that people
 * called normal.
 */
export class TrainingRows {
  readonly batches: readonly RecordBatch[]
  readonly rows: number
  readonly certain: number
  readonly #starts: readonly number[]

  constructor(sampled: readonly RecordBatch[], certain: readonly RecordBatch[] = []) {
    this.batches = [...sampled, ...certain]
    let rows = 0
    this.#starts = this.batches.map((batch) => {
      rows += batch.rows
      return rows - batch.rows
    })
    this.rows = rows
    this.certain = certain.reduce((sum, batch) => sum + batch.rows, 0)
  }

  /** Of the given rows, 1 for those that people called normal. */
  certainOf(rows: Int32Array): Uint8Array {
    const from = this.rows - this.certain
    return Uint8Array.from(rows, (row) => (row >= from ? 1 : 0))
  }

  /** The entities of the given rows (ascending); undefined where records have none. */
  entitiesOf(rows: Int32Array): (string | null)[] | undefined {
    if (this.batches.every(({ entity }) => entity === undefined)) return undefined
    let b = 0
    return Array.from(rows, (row) => {
      while (row >= this.#starts[b] + this.batches[b].rows) b++
      return this.batches[b].entity?.[row - this.#starts[b]] ?? null
    })
  }

  /** First and last time of the given rows (ascending), epoch milliseconds; infinite where none has one. */
  spanOf(rows: Int32Array): { readonly first: number; readonly last: number } {
    let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    let b = 0
    for (const row of rows) {
      while (row >= this.#starts[b] + this.batches[b].rows) b++
      const time = timesOf(this.batches[b])?.[row - this.#starts[b]] ?? Number.NaN
      if (time < first) first = time
      if (time > last) last = time
    }
    return { first, last }
  }

  /** Fits an encoder on the given rows alone. */
  fitEncoder(rows: Int32Array, options: Omit<FitEncoderOptions, 'rowWeightsExcluded'>): FeatureEncoder {
    const chosen = new Uint8Array(this.rows)
    for (const row of rows) chosen[row] = 1
    const excluded = this.batches.map((batch, b) =>
      Uint8Array.from({ length: batch.rows }, (_, i) => 1 - chosen[this.#starts[b] + i]),
    )
    return fitEncoder(this.batches, { ...options, rowWeightsExcluded: excluded })
  }

  /** Encodes the given rows (ascending); those that cannot be encoded are left out and counted. */
  encode(
    encoder: FeatureEncoder,
    rows: Int32Array,
  ): { encoded: EncodedBatch; kept: Int32Array; unscored: number } {
    const kept: number[] = []
    let unscored = 0
    let next = 0
    const parts: EncodedBatch[] = []
    for (const [b, batch] of this.batches.entries()) {
      const start = this.#starts[b]
      const own: number[] = []
      while (next < rows.length && rows[next] < start + batch.rows) own.push(rows[next++] - start)
      if (own.length === 0) continue
      const encoded = encoder.encode(selectRows(batch, own))
      const sound = [...own.keys()].filter((i) => !encoded.unscored.has(i))
      unscored += own.length - sound.length
      for (const i of sound) kept.push(own[i] + start)
      parts.push(sound.length === own.length ? encoded : compacted(encoded, sound))
    }
    return { encoded: joined(parts, encoder), kept: Int32Array.from(kept), unscored }
  }
}

function compacted(encoded: EncodedBatch, rows: readonly number[]): EncodedBatch {
  const take = <T extends Values>(from: T, out: T): T => {
    const width = from.length / encoded.rows
    for (const [i, row] of rows.entries()) out.set(from.subarray(row * width, (row + 1) * width), i * width)
    return out
  }
  const share = rows.length / encoded.rows
  const { numeric, joint, codes, context, logDiscrete, logJacobian, logUnits } = encoded
  return {
    rows: rows.length,
    numeric: take(numeric, new Float32Array(Math.round(numeric.length * share))),
    joint: take(joint, new Float32Array(Math.round(joint.length * share))),
    codes: take(codes, new Int32Array(Math.round(codes.length * share))),
    context: take(context, new Float32Array(Math.round(context.length * share))),
    logDiscrete: take(logDiscrete, new Float64Array(rows.length)),
    logJacobian: take(logJacobian, new Float64Array(rows.length)),
    logUnits: take(logUnits, new Float64Array(rows.length)),
    unscored: new Map(),
    notes: new Map(),
  }
}

function joined(parts: readonly EncodedBatch[], { layout }: FeatureEncoder): EncodedBatch {
  const rows = parts.reduce((sum, part) => sum + part.rows, 0)
  const put = <T extends Values>(out: T, of: (part: EncodedBatch) => T): T => {
    let at = 0
    for (const part of parts) {
      const values = of(part)
      out.set(values, at)
      at += values.length
    }
    return out
  }
  return {
    rows,
    numeric: put(new Float32Array(rows * layout.numeric.length), ({ numeric }) => numeric),
    joint: put(new Float32Array(rows * layout.numeric.length), ({ joint }) => joint),
    codes: put(new Int32Array(rows * layout.discrete.length), ({ codes }) => codes),
    context: put(new Float32Array(rows * layout.context.length), ({ context }) => context),
    logDiscrete: put(new Float64Array(rows), ({ logDiscrete }) => logDiscrete),
    logJacobian: put(new Float64Array(rows), ({ logJacobian }) => logJacobian),
    logUnits: put(new Float64Array(rows), ({ logUnits }) => logUnits),
    unscored: new Map(),
    notes: new Map(),
  }
}
