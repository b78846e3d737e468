import type { Random } from '../core/random.ts'
import { batchOfRows, idOf, type RecordBatch, rowOf } from '../core/record.ts'
import { clockColumn } from '../features/windows/window-spec.ts'
import type { Flight } from './generated-flights.ts'

export const FLIGHT_FAULTS = [
  'kilometres for miles',
  'columns swapped',
  'stuck value',
  'clock shifted',
  'unknown category',
  'impossible route',
] as const
export type FlightFault = (typeof FLIGHT_FAULTS)[number]

export interface PlantedBatch {
  readonly batch: RecordBatch
  /** Record id → what was done to it, and to which fields. */
  readonly faults: ReadonlyMap<string, { readonly fault: FlightFault; readonly fields: readonly string[] }>
}

const FIELDS: Readonly<Record<FlightFault, readonly string[]>> = {
  'kilometres for miles': ['distance'],
  'columns swapped': ['delay', 'distance'],
  'stuck value': ['distance'],
  'clock shifted': ['date', clockColumn('date')],
  'unknown category': ['origin'],
  'impossible route': ['origin', 'destination'],
}

/**
 * Plants pipeline faults in a share of the records of each batch, every kind equally often. `routes` are the pairs
 * ("ATL→BOS") that exist: an impossible route joins two known airports between which nothing flies.
 */
export class FlightFaultPlanter {
  private stuck: number | undefined

  constructor(
    private readonly share: number,
    private readonly routes: ReadonlySet<string>,
    private readonly random: Random,
  ) {}

  plant(batch: RecordBatch): PlantedBatch {
    const faults = new Map<string, { fault: FlightFault; fields: readonly string[] }>()
    const rows = Array.from({ length: batch.rows }, (_, row) => rowOf(batch, row) as unknown as Flight)
    const planted = rows.map((flight, row) => {
      if (this.random.uniform() >= this.share) return flight
      const fault = FLIGHT_FAULTS[this.random.integer(FLIGHT_FAULTS.length)]
      const broken = this.broken(fault, flight, rows)
      if (broken === undefined) return flight
      faults.set(idOf(batch.origin, row), { fault, fields: FIELDS[fault] })
      return broken
    })
    if (faults.size === 0) return { batch, faults }
    const { origin, eventTime, entity } = batch
    const changed = batchOfRows(planted as unknown as Record<string, unknown>[], origin)
    return { batch: { ...changed, ...(eventTime && { eventTime }), ...(entity && { entity }) }, faults }
  }

  /** The flight with the fault, or undefined where the fault would change nothing. */
  private broken(fault: FlightFault, flight: Flight, flights: readonly Flight[]): Flight | undefined {
    switch (fault) {
      case 'kilometres for miles':
        return { ...flight, distance: Math.round(flight.distance * 1.609344) }
      case 'columns swapped':
        return flight.delay === flight.distance
          ? undefined
          : { ...flight, delay: flight.distance, distance: flight.delay }
      case 'stuck value': {
        this.stuck ??= flight.distance
        return Math.abs(this.stuck - flight.distance) < 50 ? undefined : { ...flight, distance: this.stuck }
      }
      case 'clock shifted':
        return { ...flight, date: new Date(flight.date.getTime() - 12 * 3_600_000) }
      case 'unknown category':
        return { ...flight, origin: `${flight.origin.slice(0, 2).toLowerCase()}?` }
      case 'impossible route':
        for (let attempt = 0; attempt < 50; attempt++) {
          const { destination } = flights[this.random.integer(flights.length)]
          const route = `${flight.origin}→${destination}`
          if (destination !== flight.origin && !this.routes.has(route)) return { ...flight, destination }
        }
        return undefined
    }
  }
}
