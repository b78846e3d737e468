import { SurprisalError } from '../../core/errors.ts'
import { CLOCK_REACH } from './running-clock.ts'
import { spanText } from './span.ts'

export type WindowStatistic = 'mean' | 'std' | 'min' | 'max'

/** The last `size` records, or those of the last `span` milliseconds (1000 records at most). */
export type WindowExtent = { readonly size: number } | { readonly span: number }

/** What to derive from one number field's past, per entity. Only earlier records count, never the record itself. */
export interface WindowField {
  readonly field: string
  /** The value k records ago: column `cpu[k]`. */
  readonly lags?: readonly number[]
  /** The value less the one k records ago: `cpu − cpu[k]`. */
  readonly differences?: readonly number[]
  /** `mean(cpu, 12)`, `std(cpu, 1h)`. Missing until the past reaches that far back. */
  readonly rolling?: readonly (WindowExtent & { readonly statistics: readonly WindowStatistic[] })[]
  /**
   * The mean of the same slot one period earlier: `cpu[1d]`. A period (milliseconds) is cut into `slots` of equal
   * length; a day in 96 slots compares quarter hours with yesterday's.
   */
  readonly seasonal?: readonly { readonly period: number; readonly slots: number }[]
}

/** Everything that a model derives from the past of its stream. Plain JSON; a model file carries it. */
export interface WindowSpec {
  readonly fields: readonly WindowField[]
  /** Seconds since the entity's previous record: `time − time[1]`. */
  readonly sincePrevious?: boolean
  /** Seconds from the stream's own clock, the median of the event times before: `time − clock`. */
  readonly clock?: boolean
  /** The column of the event time; else the batches' event time. */
  readonly time?: string
  /** The column that names the entity; else the batches' entity. */
  readonly entity?: string
  /** Entities remembered in each stream; beyond, the one unseen for longest is forgotten. */
  readonly entities?: number
  /** Records beyond the longest look-back that are kept, so that late records find their place. */
  readonly late?: number
}

export const WINDOW_DEFAULTS = { entities: 10_000, late: 16 }
/** Records that a span of time may hold. */
export const MOST_IN_SPAN = 1000
const LONGEST = 10_000
const DAY = 86_400_000

/** How an added column comes from its record: its value moves by `factor` per unit that `source` moves. */
export interface AddedColumn {
  readonly name: string
  /** The column it looks back on; null for the batches' event time. */
  readonly source: string | null
  /** 0 where it does not depend on the record's own value. */
  readonly factor: number
  /** The mean, least or greatest of earlier values, each of which was judged when it came. */
  readonly level?: true
  /** Says what the past was like rather than what the record is: conditions and is not modelled. */
  readonly context: boolean
}

/** The columns that windows add, in order. */
export function addedColumns({ fields, sincePrevious, clock, time }: WindowSpec): AddedColumn[] {
  const named = time ?? 'event time'
  const ofTime = { source: time ?? null, factor: 0.001, context: false }
  return [
    ...fields.flatMap(columnsOfField),
    ...(sincePrevious ? [{ ...ofTime, name: `${named} − ${named}[1]` }] : []),
    ...(clock ? [{ ...ofTime, name: clockColumn(time) }] : []),
  ]
}

/** The column that tells how far a record's time is from the stream's own clock. */
export function clockColumn(time: string | undefined): string {
  return `${time ?? 'event time'} − clock`
}

function columnsOfField({
  field,
  lags = [],
  differences = [],
  rolling = [],
  seasonal = [],
}: WindowField): AddedColumn[] {
  const past = { source: field, factor: 0 }
  return [
    ...lags.map((k) => ({ ...past, name: `${field}[${k}]`, context: true })),
    ...differences.map((k) => ({
      source: field,
      factor: 1,
      name: `${field} − ${field}[${k}]`,
      context: false,
    })),
    ...rolling.flatMap(({ statistics, ...extent }) =>
      statistics.map((name) => ({
        ...past,
        name: `${name}(${field}, ${'size' in extent ? extent.size : spanText(extent.span)})`,
        context: false,
        ...(name !== 'std' && { level: true as const }),
      })),
    ),
    ...seasonal.map(({ period }) => ({ ...past, name: `${field}[${spanText(period)}]`, context: true })),
  ]
}

/** Records that a field must look back on. */
export function lookBack({ lags = [], differences = [], rolling = [] }: WindowField): number {
  return Math.max(0, ...lags, ...differences, ...rolling.map((r) => ('size' in r ? r.size : MOST_IN_SPAN)))
}

/**
 * Records of a stream that can show in what a record sees of it. Of many entities nobody knows where one was last seen,
 * nor of a period how many records it has; what the clock remembers of older ones does not show.
 */
export function reachOf(spec: WindowSpec, entities: boolean): number {
  const { fields, sincePrevious = false, clock = false, entity, late = WINDOW_DEFAULTS.late } = spec
  const perEntity = fields.length > 0 || sincePrevious
  if (perEntity && (entities || entity !== undefined)) return Number.POSITIVE_INFINITY
  if (fields.some(({ seasonal = [] }) => seasonal.length > 0)) return Number.POSITIVE_INFINITY
  return Math.max(
    clock ? CLOCK_REACH : 0,
    sincePrevious ? 1 + late : 0,
    ...fields.map((field) => lookBack(field) + late),
  )
}

/** Throws CONFIG_INVALID where a number is out of its range or a column would stand twice. */
export function checkWindowSpec(spec: WindowSpec): void {
  const { entities = WINDOW_DEFAULTS.entities, late = WINDOW_DEFAULTS.late, fields } = spec
  whole('entities', entities, 1, 10_000_000)
  whole('late', late, 0, LONGEST)
  for (const { field, lags = [], differences = [], rolling = [], seasonal = [] } of fields) {
    for (const k of [...lags, ...differences]) whole(`a lag of "${field}"`, k, 1, LONGEST)
    for (const extent of rolling) {
      if ('size' in extent) whole(`a rolling size of "${field}"`, extent.size, 2, LONGEST)
      else whole(`a rolling span of "${field}" in milliseconds`, extent.span, 1000, 366 * DAY)
    }
    for (const { period, slots } of seasonal) {
      whole(`a period of "${field}" in milliseconds`, period, 1000, 366 * DAY)
      whole(`the slots of a period of "${field}"`, slots, 1, LONGEST)
    }
  }
  const names = addedColumns(spec).map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined)
    throw new SurprisalError('CONFIG_INVALID', `windows: column "${twice}" would stand twice; name it once`)
}

function whole(what: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new SurprisalError(
      'CONFIG_INVALID',
      `windows: ${what} is ${value}; it must be a whole number from ${least} to ${most}`,
    )
}
