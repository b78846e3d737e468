import type { RecordBatch } from '../../core/record.ts'
import { BLOCK, type ColumnEncoder, type EncodeTarget } from '../encode-target.ts'
import { type NumericState, numericReader } from './numeric.ts'
import { MISSING, PRESENT } from './read-numbers.ts'
import { tame } from './scaling.ts'

const values = new Float64Array(BLOCK)
const status = new Uint8Array(BLOCK)

/** Writes u of a number that conditions and is not modelled; 0, the centre, where it is missing. */
export class ContextNumberEncoder implements ColumnEncoder {
  readonly #state: NumericState
  readonly #at: number

  constructor(state: NumericState, at: number) {
    this.#state = state
    this.#at = at
  }

  bind(batch: RecordBatch, target: EncodeTarget): (from: number, to: number) => void {
    const read = numericReader(this.#state, batch, target)
    const width = target.widths.context
    return (from, to) => {
      const holes = read(from, to, values, status)
      for (let row = from; row < to; row++) {
        const x = values[row - from]
        const held = holes ? status[row - from] : PRESENT
        const missing = held === MISSING || (Number.isNaN(x) && this.#state.nan === 'missing')
        if (held === PRESENT && !missing && !Number.isFinite(x))
          target.reject(row, `${this.#state.field}: ${x} is not a finite number`)
        target.context[row * width + this.#at] =
          held === PRESENT && Number.isFinite(x) ? tame(x, this.#state) : 0
      }
    }
  }
}
