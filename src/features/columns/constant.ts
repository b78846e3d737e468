import { cell, columnNamed, type RecordBatch } from '../../core/record.ts'
import type { ColumnEncoder, EncodeTarget } from '../encode-target.ts'
import type { Level } from '../encoded.ts'
import { shown } from './text.ts'

/** A column that held one value throughout training; null where it was always missing. */
export interface ConstantState {
  readonly kind: 'constant'
  readonly field: string
  readonly value: Level
  /** Looks back on the stream: missing where the past is short, which is no change. */
  readonly window?: true
}

/** Writes nothing while the value stays; a change costs log P of what training never saw and leaves a note. */
export class ConstantEncoder implements ColumnEncoder {
  readonly #state: ConstantState
  readonly #logNever: number

  constructor(state: ConstantState, logNever: number) {
    this.#state = state
    this.#logNever = logNever
  }

  bind(batch: RecordBatch, target: EncodeTarget): (from: number, to: number) => void {
    const { field, value, window } = this.#state
    const column = columnNamed(batch, field)
    const changed = (row: number, is: unknown): void => {
      target.logDiscrete[row] += this.#logNever
      target.note(row, `${field}: was always ${shown(value)}, is ${shown(is)}`)
    }
    if (column.kind === 'number' && column.validity === undefined) {
      return (from, to) => {
        for (let row = from; row < to; row++)
          if (column.values[row] !== value) changed(row, column.values[row])
      }
    }
    return (from, to) => {
      for (let row = from; row < to; row++) {
        const is = cell(column, row)
        if (is !== value && !(window && is === null)) changed(row, is)
      }
    }
  }
}
