import type { SeriesPoint } from '../core/ports.ts'

/** Shapes of the API's answers that are not ports. */
export interface Items<T> {
  readonly items: readonly T[]
}
export interface PageOf<T> extends Items<T> {
  readonly cursor: string | null
}
export interface Series extends Items<SeriesPoint & { readonly alarm_rate: number | null }> {
  readonly step: number
}
