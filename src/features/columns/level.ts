import { cell, columnNamed, isValid, type RecordBatch } from '../../core/record.ts'
import type { ColumnEncoder, EncodeTarget } from '../encode-target.ts'
import type { Level } from '../encoded.ts'
import type { ColumnProfile } from '../profile/profile.ts'
import { shown } from './text.ts'

/** A learned category or boolean column. */
export interface LevelState {
  readonly kind: 'level'
  readonly field: string
  readonly accepts: 'text' | 'boolean' | 'number'
  /** Level of code 1, 2, …, most frequent first; null is the missing value. */
  readonly levels: readonly Level[]
  readonly pooledFrom: number
  /** Conditions and is not modelled. */
  readonly context: boolean
}

export interface LevelCount {
  readonly value: Level
  readonly count: number
}

/** Levels kept by themselves; the rest are "unseen in training". */
const MOST_LEVELS = 131_072
/** Levels with an embedding of their own, and the records that one needs to be learned. */
const MOST_EMBEDDED = 1024
const LEARNABLE = 5

export function fitLevel(
  { field, source, context }: ColumnProfile,
  counted: readonly LevelCount[],
): LevelState {
  const kept = counted.slice(0, MOST_LEVELS)
  const rare = kept.findIndex(({ count }, i) => count < LEARNABLE || i + 1 >= MOST_EMBEDDED)
  return {
    kind: 'level',
    field,
    accepts: source === 'number' || source === 'boolean' ? source : 'text',
    levels: kept.map(({ value }) => value),
    pooledFrom: rare < 0 || kept.length - rare < 2 ? kept.length + 1 : rare + 1,
    context,
  }
}

const WANTED = { text: 'text', boolean: 'true or false', number: 'a number' }

/** Writes the level codes of one column; a level that training never saw is code 0. */
export class LevelEncoder implements ColumnEncoder {
  readonly #state: LevelState
  readonly #at: number
  readonly #codes: Map<Level, number>
  readonly #missingCode: number

  constructor(state: LevelState, at: number) {
    this.#state = state
    this.#at = at
    this.#codes = new Map(state.levels.map((level, i) => [level, i + 1]))
    this.#missingCode = this.#codes.get(null) ?? 0
  }

  bind(batch: RecordBatch, target: EncodeTarget): (from: number, to: number) => void {
    const { field, accepts } = this.#state
    const { codes } = target
    const width = target.widths.codes
    const column = columnNamed(batch, field)
    if (column.kind === 'string' && accepts === 'text') {
      const known = Int32Array.from(column.dictionary, (text) => this.#codes.get(text) ?? 0)
      const { validity } = column
      return (from, to) => {
        for (let row = from, at = from * width + this.#at; row < to; row++, at += width)
          codes[at] =
            validity === undefined || isValid(validity, row) ? known[column.codes[row]] : this.#missingCode
      }
    }
    return (from, to) => {
      for (let row = from; row < to; row++)
        codes[row * width + this.#at] = this.#code(cell(column, row), row, target)
    }
  }

  #code(value: unknown, row: number, target: EncodeTarget): number {
    const { field, accepts } = this.#state
    if (value === null) return this.#missingCode
    const fits = accepts === 'text' ? typeof value === 'string' : typeof value === accepts
    if (fits && !(typeof value === 'number' && !Number.isFinite(value)))
      return this.#codes.get(value as Level) ?? 0
    target.reject(row, `${field}: ${shown(value)} is not ${fits ? 'a finite number' : WANTED[accepts]}`)
    return 0
  }
}
