import { shown } from '../columns/text.ts'
import type { ColumnState, EncoderState } from '../encoder-state.ts'
import type { ColumnProfile } from './profile.ts'

/** A column in words. */
export interface ColumnSummary {
  readonly field: string
  readonly kind: string
  readonly role: 'modelled' | 'context' | 'watched' | 'ignored'
  /** The rule that chose the kind. */
  readonly why: string
  /** What was learned: "median 12.5, step 0.01, heaps at 0, 999; 3.1 % missing". */
  readonly learned: string
}

export function describeColumns({ profile, columns }: EncoderState): ColumnSummary[] {
  return profile.map((found) => {
    const state = columns.find(({ field }) => field === found.field)
    return {
      field: found.field,
      kind: found.kind,
      role: state === undefined ? 'ignored' : roleOf(state),
      why: found.why,
      learned: state === undefined ? '' : learned(found, state),
    }
  })
}

function roleOf(state: ColumnState): ColumnSummary['role'] {
  if (state.kind === 'constant') return 'watched'
  if (state.kind === 'level') return state.context ? 'context' : 'modelled'
  return state.kind === 'numeric' ? 'modelled' : 'context'
}

function learned(found: ColumnProfile, state: ColumnState): string {
  const share = (100 * (found.missing + found.nan)) / found.rows
  const missing = share > 0 ? `; ${share.toPrecision(2)} % missing` : ''
  switch (state.kind) {
    case 'numeric': {
      const { centre, step, atoms, levels, since } = state
      if (levels !== null) return `values ${levels.map(shown).join(', ')}${missing}`
      const grid = step > 0 ? `, step ${step}` : ''
      const heaps = atoms.length > 0 ? `, heaps at ${atoms.join(', ')}` : ''
      return `${since === null ? '' : `seconds since ${since}: `}median ${centre}${grid}${heaps}${missing}`
    }
    case 'level':
      return `${state.levels.length} levels, most often ${state.levels.slice(0, 3).map(shown).join(', ')}${missing}`
    case 'constant':
      return `a change from ${shown(state.value)} is noted`
    case 'clock':
      return (
        [...(state.hour ? ['time of day'] : []), ...(state.weekday ? ['weekday'] : [])].join(', ') ||
        'not used'
      )
    case 'context-number':
      return `median ${state.number.centre}${missing}`
  }
}
