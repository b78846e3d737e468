import { createHash } from 'node:crypto'
import type { AnchorState } from './anchors/anchor.ts'
import { type ClockState, clockColumns } from './columns/clock.ts'
import type { ConstantState } from './columns/constant.ts'
import type { LevelState } from './columns/level.ts'
import { hasState, type NumericState, STATE_ATOMS } from './columns/numeric.ts'
import type { DiscreteState } from './discrete/discrete.ts'
import type { DiscreteLayout, EncodedLayout, NumericLayout } from './encoded.ts'
import type { ColumnProfile } from './profile/profile.ts'

/** A number that conditions and is not modelled. */
export interface ContextNumberState {
  readonly kind: 'context-number'
  readonly field: string
  readonly number: NumericState
}
export type ColumnState = NumericState | LevelState | ConstantState | ClockState | ContextNumberState

/** Everything a fitted encoder is. Plain JSON; never changes after the fit. */
export interface EncoderState {
  readonly version: 1
  /** Records learned from. */
  readonly rows: number
  readonly columns: readonly ColumnState[]
  readonly discrete: DiscreteState
  /** What explains which number column. */
  readonly anchors: readonly AnchorState[]
  /** What the rules found, columns that are not used included. */
  readonly profile: readonly ColumnProfile[]
}

/** log P of what training never saw in `rows` records: 1 / (n + 2), Laplace's rule. */
export function logNeverSeen(rows: number): number {
  return -Math.log(rows + 2)
}

export function layoutOf(columns: readonly ColumnState[]): EncodedLayout {
  const numeric: NumericLayout[] = []
  const discrete: DiscreteLayout[] = []
  const context: string[] = []
  for (const column of columns) {
    switch (column.kind) {
      case 'numeric':
        numeric.push({
          field: column.field,
          halfStep: column.step / 2 / column.scale,
          lowCardinality: column.levels !== null,
          ...(column.fringe && { fringe: column.fringe }),
        })
        if (hasState(column)) discrete.push(companionOf(column))
        break
      case 'level': {
        const { field, levels, pooledFrom, context: given } = column
        discrete.push({ field, role: given ? 'context' : 'level', levels: levels.length + 1, pooledFrom })
        break
      }
      case 'clock':
        context.push(...clockColumns(column))
        break
      case 'context-number':
        context.push(column.field)
        break
      case 'constant':
        break
    }
  }
  return { numeric, discrete, context }
}

function companionOf({ field, levels, atoms }: NumericState): DiscreteLayout {
  const codes = levels === null ? STATE_ATOMS + atoms.length : levels.length + 1
  return { field, role: levels === null ? 'state' : 'level', levels: codes, pooledFrom: codes }
}

/**
 * Names the base measure of the density: fields, kinds, steps and atoms of the modelled columns, hashed. Log
 * probabilities of two encoders compare only where their measures are equal.
 */
export function measureOf(columns: readonly ColumnState[]): string {
  const parts = columns.flatMap((column) => {
    if (column.kind === 'numeric') {
      const { field, source, step, atoms, levels } = column
      return [
        JSON.stringify([field, source, levels === null ? step : 'levels', levels === null ? atoms : []]),
      ]
    }
    return column.kind === 'level' && !column.context ? [JSON.stringify([column.field, column.accepts])] : []
  })
  return createHash('sha256').update(parts.sort().join('\n')).digest('hex').slice(0, 16)
}
