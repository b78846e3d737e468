import { SurprisalError } from '../core/errors.ts'

export type WindowStatistic = 'mean' | 'std' | 'min' | 'max'

/** What to derive from one number field's past, per entity. Only earlier records count, never the record itself. */
export interface WindowField {
  readonly field: string
  /** The value k records ago: column `<field>.lag<k>`. */
  readonly lags?: readonly number[]
  /** The value less the one k records ago: `<field>.diff<k>`. */
  readonly differences?: readonly number[]
  /** Statistics of the last `size` records: `<field>.<statistic><size>`. Missing until there are that many. */
  readonly rolling?: readonly { readonly size: number; readonly statistics: readonly WindowStatistic[] }[]
  /**
   * The mean of the same slot one period earlier: `<field>.season<period in seconds>`. A period (milliseconds) is cut
   * into `slots` of equal length; a day in 96 slots compares quarter hours with yesterday's.
   */
  readonly seasonal?: readonly { readonly period: number; readonly slots: number }[]
}

export interface WindowSpec {
  readonly fields: readonly WindowField[]
  /** Entities remembered; beyond, the one unseen for longest is forgotten. */
  readonly entities?: number
  /** Records beyond the longest look-back that are kept, so that late records find their place. */
  readonly late?: number
}

export const WINDOW_DEFAULTS = { entities: 10_000, late: 16 }
const LONGEST = 10_000

/** Names of the columns that a field's windows add, in order. */
export function windowColumns({ field, lags, differences, rolling, seasonal }: WindowField): string[] {
  return [
    ...(lags ?? []).map((k) => `${field}.lag${k}`),
    ...(differences ?? []).map((k) => `${field}.diff${k}`),
    ...(rolling ?? []).flatMap(({ size, statistics }) => statistics.map((name) => `${field}.${name}${size}`)),
    ...(seasonal ?? []).map(({ period }) => `${field}.season${period / 1000}`),
  ]
}

/** Records that a field must look back on. */
export function lookBack({ lags = [], differences = [], rolling = [] }: WindowField): number {
  return Math.max(0, ...lags, ...differences, ...rolling.map(({ size }) => size))
}

/** Throws CONFIG_INVALID where a number is out of its range or a column would stand twice. */
export function checkWindowSpec(spec: WindowSpec): void {
  const { entities = WINDOW_DEFAULTS.entities, late = WINDOW_DEFAULTS.late, fields } = spec
  whole('entities', entities, 1, 10_000_000)
  whole('late', late, 0, LONGEST)
  for (const { field, lags = [], differences = [], rolling = [], seasonal = [] } of fields) {
    for (const k of [...lags, ...differences]) whole(`a lag of "${field}"`, k, 1, LONGEST)
    for (const { size } of rolling) whole(`a rolling size of "${field}"`, size, 2, LONGEST)
    for (const { period, slots } of seasonal) {
      whole(`a period of "${field}" in milliseconds`, period, 1000, 366 * 86_400_000)
      whole(`the slots of a period of "${field}"`, slots, 1, LONGEST)
    }
  }
  const names = fields.flatMap(windowColumns)
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
