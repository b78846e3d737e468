import { describe, expect, it } from 'vitest'
import type { FlowRows, Noise } from '../../src/train/augment.ts'
import { Minibatches } from '../../src/train/minibatches.ts'

const ROWS = 10
const rows: FlowRows = {
  x: { rows: ROWS, columns: 1, data: Float32Array.from({ length: ROWS }, (_, i) => i) },
  context: { rows: ROWS, columns: 1, data: Float32Array.from({ length: ROWS }, (_, i) => 100 + i) },
}
const quiet: Noise = { gaussian: new Float32Array(1), uniform: new Float32Array(1) }

describe('Minibatches', () => {
  it('shows every row once an epoch, its context beside it, in a new order each time', () => {
    const batches = new Minibatches(rows, quiet, 5, 1)
    const epochs = Array.from({ length: 2 }, () =>
      Array.from({ length: 2 }, () => {
        const { x, context } = batches.next()
        expect([...context!.data]).toEqual([...x.data].map((v) => v + 100))
        return [...x.data]
      }).flat(),
    )
    for (const epoch of epochs) expect(epoch.toSorted((a, b) => a - b)).toEqual([...rows.x.data])
    expect(epochs[0]).not.toEqual(epochs[1])
  })

  it('fills batches larger than the data', () => {
    const counts = new Map<number, number>()
    for (const v of new Minibatches(rows, quiet, 20, 1).next().x.data) counts.set(v, (counts.get(v) ?? 0) + 1)
    expect([...counts.values()]).toEqual(new Array(ROWS).fill(2))
  })

  it('goes on from a state as if it had not stopped', () => {
    const noise: Noise = { gaussian: Float32Array.of(0.1), uniform: Float32Array.of(0.2) }
    const whole = new Minibatches(rows, noise, 3, 5)
    for (let i = 0; i < 7; i++) whole.next()
    const resumed = new Minibatches(rows, noise, 3, whole.state())
    for (let i = 0; i < 7; i++) expect([...resumed.next().x.data]).toEqual([...whole.next().x.data])
  })

  it('adds noise of the given size and draws missing entries from N(0, 1)', () => {
    const many = 20_000
    const flat: FlowRows = {
      x: { rows: many, columns: 3, data: new Float32Array(many * 3).fill(50) },
      fill: Uint8Array.from({ length: many * 3 }, (_, i) => (i % 3 === 2 ? 1 : 0)),
    }
    const noise: Noise = { gaussian: Float32Array.of(0.5, 0, 9), uniform: Float32Array.of(0, 2, 9) }
    const { x } = new Minibatches(flat, noise, many, 3).next()
    const moments = [0, 1, 2].map((d) => {
      const column = x.data.filter((_, i) => i % 3 === d)
      const mean = column.reduce((s, v) => s + v, 0) / many
      return [mean, Math.sqrt(column.reduce((s, v) => s + (v - mean) ** 2, 0) / many)]
    })
    expect(moments[0][0]).toBeCloseTo(50, 1)
    expect(moments[0][1]).toBeCloseTo(0.5, 1)
    expect(moments[1][1]).toBeCloseTo(2 / Math.sqrt(3), 1)
    expect(moments[2][0]).toBeCloseTo(0, 1)
    expect(moments[2][1]).toBeCloseTo(1, 1)
  })
})
