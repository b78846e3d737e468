import { random } from '../core/random.ts'
import { batchOfRows, type RecordBatch } from '../core/record.ts'

/** A flight as the vega-datasets package has them: the demo's records, real or generated. */
export interface Flight {
  readonly date: Date
  /** Minutes late on arrival. */
  readonly delay: number
  /** Miles. */
  readonly distance: number
  readonly origin: string
  readonly destination: string
}

/** Code, latitude, longitude, and departures per day. */
const AIRPORTS: readonly (readonly [string, number, number, number])[] = [
  ['ATL', 33.6, -84.4, 60],
  ['BOS', 42.4, -71.0, 25],
  ['CLT', 35.2, -80.9, 30],
  ['DEN', 39.9, -104.7, 45],
  ['DFW', 32.9, -97.0, 55],
  ['DTW', 42.2, -83.4, 28],
  ['IAH', 30.0, -95.3, 35],
  ['JFK', 40.6, -73.8, 30],
  ['LAS', 36.1, -115.2, 32],
  ['LAX', 33.9, -118.4, 48],
  ['MCO', 28.4, -81.3, 26],
  ['MSP', 44.9, -93.2, 26],
  ['ORD', 42.0, -87.9, 58],
  ['PHL', 39.9, -75.2, 22],
  ['PHX', 33.4, -112.0, 34],
  ['SEA', 47.4, -122.3, 28],
  ['SFO', 37.6, -122.4, 36],
  ['SLC', 40.8, -112.0, 20],
]

/**
 * Flights that look like real ones, seeded, in time order from `start`: departures between 5 and 23 o'clock, a share
 * of late flights that grows over the day, the great-circle distance, and two thirds of all airport pairs.
 */
export function* generatedFlights(
  rows: number,
  options: { readonly seed?: number; readonly start?: number; readonly batchRows?: number } = {},
): Generator<RecordBatch> {
  const draw = random(options.seed ?? 1)
  const batchRows = options.batchRows ?? 8192
  const routes = routesOf()
  const total = routes[routes.length - 1].cumulative
  let clock = options.start ?? Date.UTC(2001, 0, 1, 5)
  for (let first = 0; first < rows; first += batchRows) {
    const flights: Flight[] = []
    for (let i = 0; i < Math.min(batchRows, rows - first); i++) {
      clock += 60_000 * Math.round(-Math.log(1 - draw.uniform()) * 1.5)
      if (new Date(clock).getUTCHours() < 5) clock += (5 - new Date(clock).getUTCHours()) * 3_600_000
      const wanted = draw.uniform() * total
      const route = routes.find(({ cumulative }) => cumulative >= wanted)!
      const late = draw.uniform() < 0.08 + 0.012 * (new Date(clock).getUTCHours() - 5)
      const delay = late ? 15 - 35 * Math.log(1 - draw.uniform()) : -6 + 8 * draw.normal()
      const { origin, destination, distance } = route
      flights.push({ date: new Date(clock), delay: Math.round(delay), distance, origin, destination })
    }
    yield batchOfRows(flights as unknown as Record<string, unknown>[], {
      prefix: 'generated-flights',
      offsets: { first },
    })
  }
}

interface Route extends Pick<Flight, 'origin' | 'destination' | 'distance'> {
  readonly cumulative: number
}

function routesOf(): Route[] {
  const routes: Route[] = []
  let cumulative = 0
  for (const [i, [origin, lat1, lon1, out]] of AIRPORTS.entries()) {
    for (const [j, [destination, lat2, lon2, into]] of AIRPORTS.entries()) {
      if (i === j || (i * 7 + j * 5) % 3 === 0) continue
      cumulative += out * into
      routes.push({ origin, destination, distance: miles(lat1, lon1, lat2, lon2), cumulative })
    }
  }
  return routes
}

/** Great-circle distance by the haversine formula. */
function miles(lat1: number, lon1: number, lat2: number, lon2: number): number {
  const radians = Math.PI / 180
  const a =
    Math.sin(((lat2 - lat1) * radians) / 2) ** 2 +
    Math.cos(lat1 * radians) * Math.cos(lat2 * radians) * Math.sin(((lon2 - lon1) * radians) / 2) ** 2
  return Math.round(2 * 3958.8 * Math.asin(Math.sqrt(a)))
}
