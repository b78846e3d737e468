import { type Random, random } from '../../core/random.ts'
import type { RecordBatch } from '../../core/record.ts'
import { selectRows } from '../../features/select-rows.ts'

/** Rows held beyond the limit before the sample is thinned again, as a share of it. */
const SLACK = 0.25

/**
 * A uniform sample of a stream of batches in the stream's order, in bounded memory: every row draws a number, and the
 * `limit` rows with the smallest are kept.
 */
export class StreamSample {
  readonly #limit: number
  readonly #random: Random
  #held: { batch: RecordBatch; draws: Float64Array }[] = []
  #mark = 1
  #seen = 0
  #rows = 0

  constructor(limit: number, seed: number) {
    this.#limit = limit
    this.#random = random(seed)
  }

  add(batch: RecordBatch): void {
    this.#seen += batch.rows
    const draws = Float64Array.from({ length: batch.rows }, () => this.#random.uniform())
    this.#keep(batch, draws)
    if (this.#rows > (1 + SLACK) * this.#limit) this.#thin()
  }

  /** Rows offered so far. */
  get seen(): number {
    return this.#seen
  }

  get batches(): readonly RecordBatch[] {
    if (this.#rows > this.#limit) this.#thin()
    return this.#held.map(({ batch }) => batch)
  }

  #thin(): void {
    const held = this.#held
    const draws = new Float64Array(this.#rows)
    let at = 0
    for (const part of held) {
      draws.set(part.draws, at)
      at += part.draws.length
    }
    this.#mark = draws.sort()[this.#limit]
    this.#held = []
    this.#rows = 0
    for (const part of held) this.#keep(part.batch, part.draws)
  }

  #keep(batch: RecordBatch, draws: Float64Array): void {
    const rows = [...draws.keys()].filter((i) => draws[i] < this.#mark)
    if (rows.length === 0) return
    this.#rows += rows.length
    if (rows.length === batch.rows) this.#held.push({ batch, draws })
    else this.#held.push({ batch: selectRows(batch, rows), draws: Float64Array.from(rows, (i) => draws[i]) })
  }
}
