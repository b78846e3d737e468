import { type Random, random } from '../core/random.ts'
import { augmentRow, type FlowRows, type Noise, type RowBuffer, rowBuffer } from './augment.ts'

/** Where a stream of minibatches stands: with the rows and the noise, it continues the same. */
export interface MinibatchState {
  readonly order: Int32Array
  readonly position: number
  readonly rng: readonly number[]
}

/** Endless minibatches: every epoch is a new seeded shuffle, a batch may span two. The buffer is reused. */
export class Minibatches {
  readonly #rows: FlowRows
  readonly #noise: Noise
  readonly #buffer: RowBuffer
  readonly #rng: Random
  readonly #order: Int32Array
  #position: number

  constructor(rows: FlowRows, noise: Noise, batch: number, from: number | MinibatchState) {
    this.#rows = rows
    this.#noise = noise
    this.#buffer = rowBuffer(rows, batch)
    if (typeof from === 'number') {
      this.#rng = random(from)
      this.#order = Int32Array.from({ length: rows.x.rows }, (_, i) => i)
      this.#position = rows.x.rows
    } else {
      this.#rng = random(from.rng)
      this.#order = from.order.slice()
      this.#position = from.position
    }
  }

  next(): RowBuffer {
    for (let slot = 0; slot < this.#buffer.x.rows; slot++) {
      if (this.#position >= this.#order.length) {
        this.#rng.shuffle(this.#order)
        this.#position = 0
      }
      augmentRow(this.#rows, this.#order[this.#position++], this.#noise, this.#rng, this.#buffer, slot)
    }
    return this.#buffer
  }

  state(): MinibatchState {
    return { order: this.#order.slice(), position: this.#position, rng: this.#rng.state() }
  }
}
