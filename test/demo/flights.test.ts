import { describe, expect, it } from 'vitest'
import { random } from '../../src/core/random.ts'
import { idOf, type RecordBatch, rowOf } from '../../src/core/record.ts'
import { FLIGHT_FAULTS, FlightFaultPlanter } from '../../src/demo/flight-faults.ts'
import { generatedFlights } from '../../src/demo/generated-flights.ts'

const rowsOf = (batch: RecordBatch) => Array.from({ length: batch.rows }, (_, row) => rowOf(batch, row))
const [batch] = generatedFlights(20_000, { batchRows: 20_000 })
const routes = new Set(rowsOf(batch).map((f) => `${f.origin}→${f.destination}`))

describe('generated flights', () => {
  it('are the same for the same seed, others for another', () => {
    const [again] = generatedFlights(20_000, { batchRows: 20_000 })
    const [other] = generatedFlights(20_000, { batchRows: 20_000, seed: 2 })
    expect(rowsOf(again)).toEqual(rowsOf(batch))
    expect(rowsOf(other)).not.toEqual(rowsOf(batch))
  })

  it('go on in time order over batches, one distance per route', () => {
    const flights = [...generatedFlights(5000, { batchRows: 700 })].flatMap(rowsOf)
    expect(flights).toHaveLength(5000)
    const times = flights.map((f) => (f.date as Date).getTime())
    expect(times).toEqual([...times].sort((a, b) => a - b))
    const distances = new Map(flights.map((f) => [`${f.origin}→${f.destination}`, f.distance]))
    expect(flights.every((f) => distances.get(`${f.origin}→${f.destination}`) === f.distance)).toBe(true)
  })
})

describe('planted faults', () => {
  const planter = new FlightFaultPlanter(0.1, routes, random(5))
  const { batch: broken, faults } = planter.plant(batch)
  const before = rowsOf(batch)
  const after = rowsOf(broken)

  it('touch about the asked share, every kind, and nothing else', () => {
    expect(faults.size / batch.rows).toBeGreaterThan(0.085)
    expect(faults.size / batch.rows).toBeLessThan(0.105)
    expect(new Set([...faults.values()].map(({ fault }) => fault))).toEqual(new Set(FLIGHT_FAULTS))
    for (let row = 0; row < batch.rows; row++) {
      const fault = faults.get(idOf(batch.origin, row))
      const changed = Object.keys(before[row]).filter(
        (field) => before[row][field]?.valueOf() !== after[row][field]?.valueOf(),
      )
      if (fault === undefined) expect(changed).toEqual([])
      else {
        expect(changed.length).toBeGreaterThan(0)
        expect(fault.fields).toEqual(expect.arrayContaining(changed))
      }
    }
  })

  it('leave a batch without faults as it is', () => {
    const none = new FlightFaultPlanter(0, routes, random(5)).plant(batch)
    expect(none.batch).toBe(batch)
  })
})
