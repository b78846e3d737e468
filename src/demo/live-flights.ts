import { setTimeout as sleep } from 'node:timers/promises'
import type { Delivery, Source } from '../core/ports.ts'
import { batchOfRows, type RecordBatch, rowOf } from '../core/record.ts'
import type { FlightFaultPlanter } from './flight-faults.ts'
import type { Flight } from './generated-flights.ts'

export interface LiveFlightsOptions {
  readonly planter: FlightFaultPlanter
  readonly recordsPerSecond: number
  /** After so many records every flight arrives `driftMinutes` later: a change of normal, not a fault. */
  readonly driftAfter: number
  readonly driftMinutes: number
  /** How long records are kept for a fit. */
  readonly keepMs: number
}

const TICK_MS = 200
const never = new AbortController().signal

/** Replays flights as if they came in now, at a steady rate, with planted faults and, later, a drift. */
export class LiveFlights implements Source {
  readonly name = 'flights'
  /** The latest records as they were delivered, faults among them, oldest first. */
  readonly recent: RecordBatch[] = []
  /** Ids of the planted faults among all of them, which somebody may label. */
  readonly planted = new Set<string>()
  private sent = 0

  constructor(
    private readonly flights: AsyncIterator<RecordBatch>,
    private readonly options: LiveFlightsOptions,
  ) {}

  async open(): Promise<void> {}

  get drifting(): boolean {
    return this.sent >= this.options.driftAfter
  }

  async *deliveries(signal: AbortSignal): AsyncGenerator<Delivery> {
    const perTick = Math.ceil((this.options.recordsPerSecond * TICK_MS) / 1000)
    for await (const flights of this.portions(perTick)) {
      if (signal.aborted) return
      const batch = this.arrive(flights)
      this.remember(batch)
      yield { batch, rejected: [], revoked: never, ack: async () => {}, nack: async () => {} }
      await sleep(TICK_MS, undefined, { signal }).catch(() => {})
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  private async *portions(rows: number): AsyncGenerator<Flight[]> {
    for (;;) {
      const { value, done } = await this.flights.next()
      if (done) return
      const flights = Array.from({ length: value.rows }, (_, row) => rowOf(value, row) as unknown as Flight)
      for (let from = 0; from < flights.length; from += rows) yield flights.slice(from, from + rows)
    }
  }

  private arrive(flights: readonly Flight[]): RecordBatch {
    const late = this.drifting ? this.options.driftMinutes : 0
    const rows = flights.map((flight) => ({ ...flight, delay: flight.delay + late }))
    const eventTime = new Float64Array(rows.length).fill(Date.now())
    const batch = batchOfRows(rows, { prefix: 'live', offsets: { first: this.sent } }, { eventTime })
    this.sent += rows.length
    const { batch: arrived, faults } = this.options.planter.plant(batch)
    for (const id of faults.keys()) this.planted.add(id)
    return arrived
  }

  private remember(batch: RecordBatch): void {
    this.recent.push(batch)
    const oldest = Date.now() - this.options.keepMs
    while ((this.recent[0].eventTime?.[0] ?? oldest) < oldest) this.recent.shift()
  }
}
