import { describe, expect, it } from 'vitest'
import { contextColumns } from '../../src/core/flow-spec.ts'
import { random } from '../../src/core/random.ts'
import { batchOfRows } from '../../src/core/record.ts'
import { fitEncoder } from '../../src/features/encoder-fit.ts'
import { exactView, jointView, standardView, View } from '../../src/features/view.ts'
import { mixedRows } from '../conformance/feature-encoder.suite.ts'

const encoder = fitEncoder([batchOfRows(mixedRows(1500))])
const encoded = encoder.encode(batchOfRows(mixedRows(200, 7)))
const width = encoder.layout.numeric.length
const numericAt = (field: string): number =>
  encoder.layout.numeric.findIndex((column) => column.field === field)

describe('the exact view', () => {
  const view = exactView(encoder.layout)
  const input = view.input(encoded)

  it('models the continuous parts and fills the others, with their density taken back', () => {
    expect(view.spec.dims.map(({ column }) => encoder.layout.numeric[column].field)).toEqual([
      'speed',
      'fee',
      'price',
      'score',
    ])
    for (let row = 0; row < 200; row++) {
      let filled = 0
      for (const [d, { column }] of view.spec.dims.entries()) {
        const u = encoded.numeric[row * width + column]
        const at = row * view.dim + d
        expect(input.x[at]).toBe(Number.isNaN(u) ? 0 : u)
        expect(input.fill?.[at]).toBe(Number.isNaN(u) ? 1 : 0)
        if (Number.isNaN(u)) filled++
      }
      expect(input.correction[row]).toBeCloseTo((filled * Math.log(2 * Math.PI)) / 2, 12)
    }
  })

  it('dequantises steps and gives every discrete column to the context, codes in range', () => {
    expect(view.noise.uniform[2]).toBeGreaterThan(0)
    expect(view.noise.uniform[0]).toBe(0)
    const columns = contextColumns(view.context)
    expect(input.context.length).toBe(200 * columns)
    expect(view.spec.binary.length + view.spec.embedded.length).toBe(encoder.layout.discrete.length)
    for (let row = 0; row < 200; row++)
      for (const [e, { levels }] of view.context.embeddings.entries()) {
        const code = input.context[row * columns + view.context.numeric + e]
        expect(Number.isInteger(code) && code >= 0 && code < levels).toBe(true)
      }
  })

  it('gives named rows as it gives all rows', () => {
    const rows = [7, 3, 190]
    const some = view.input(encoded, rows)
    for (const [i, row] of rows.entries()) {
      expect(some.x.slice(i * view.dim, (i + 1) * view.dim)).toEqual(
        input.x.slice(row * view.dim, (row + 1) * view.dim),
      )
      expect(some.correction[i]).toBe(input.correction[row])
    }
  })

  it('is data: a view from its JSON gives the same input', () => {
    expect(new View(JSON.parse(JSON.stringify(view.spec))).input(encoded)).toEqual(input)
  })

  it('has no dimension where everything is discrete', () => {
    const data = batchOfRows(Array.from({ length: 100 }, (_, i) => ({ a: i % 3, b: i % 2 === 0 })))
    const discrete = fitEncoder([data])
    const empty = exactView(discrete.layout)
    expect(empty.dim).toBe(0)
    expect(empty.input(discrete.encode(data)).x.length).toBe(0)
  })

  it('pools rare levels and the unseen level in one embedding row', () => {
    const data = Array.from({ length: 400 }, (_, i) => ({
      x: i * 1.37 - (i % 7),
      c: i < 300 ? `c${i % 4}` : `r${i % 80}`,
    }))
    const rare = fitEncoder([batchOfRows(data)])
    const embedded = exactView(rare.layout)
    expect(embedded.context.embeddings).toEqual([{ levels: 6, width: 4 }])
    const codes = embedded.input(rare.encode(batchOfRows([data[0], data[350], { x: 1, c: 'new' }]))).context
    expect([...codes].slice(1)).toEqual([5, 5])
    expect(codes[0]).toBeLessThan(5)
  })
})

describe('the joint view', () => {
  it('models every number as a number, conditioned on categories and booleans', () => {
    const view = jointView(encoder.layout)
    const { x } = view.input(encoded)
    expect(view.dim).toBe(width)
    const [fee, doors] = [numericAt('fee'), numericAt('doors')]
    for (let row = 0; row < 200; row++) {
      expect(x[row * width + fee]).toBe(encoded.joint[row * width + fee])
      expect(x[row * width + doors]).toBe(encoded.joint[row * width + doors])
    }
    const conditions = [...view.spec.binary, ...view.spec.embedded.map(({ column }) => column)]
    expect(conditions.map((k) => encoder.layout.discrete[k].field).sort()).toEqual(['carrier', 'paid'])
  })

  it('takes the anchors of categories, and none that read a number it models itself', () => {
    const r = random(6)
    const rows = Array.from({ length: 900 }, () => {
      const [size, kind] = [1 + r.integer(4), r.integer(3)]
      return { size, kind: 'abc'[kind], bySize: 10 * size + r.normal(), byKind: 9 * kind + r.normal() }
    })
    const learned = batchOfRows(rows)
    const { layout, anchors } = fitEncoder([learned])
    const named = (view: View) => view.spec.anchors.map((a) => layout.numeric[anchors[a].column].field).sort()
    expect(named(exactView(layout, anchors))).toEqual(['byKind', 'bySize'])
    const joint = jointView(layout, anchors)
    expect(named(joint)).toEqual(['byKind'])
    const anchored = joint.spec.dims.filter(({ anchor }) => anchor !== undefined)
    expect(anchored.map(({ column }) => layout.numeric[column].field)).toEqual(['byKind'])
  })
})

describe('the standard view', () => {
  const view = standardView(encoder.layout, encoded)
  const { x, fill } = view.input(encoded)

  it('gives every column of what was learned mean 0 and deviation 1, without taming', () => {
    for (let d = 0; d < view.dim; d++) {
      const column = Array.from({ length: encoded.rows }, (_, row) => row * view.dim + d)
        .filter((at) => fill?.[at] !== 1)
        .map((at) => x[at])
      const mean = column.reduce((sum, v) => sum + v, 0) / column.length
      const deviation = Math.sqrt(column.reduce((sum, v) => sum + (v - mean) ** 2, 0) / column.length)
      expect(mean).toBeCloseTo(0, 4)
      expect(deviation).toBeCloseTo(1, 4)
    }
  })

  it('is data, and keeps absurd numbers finite', () => {
    const again = new View(JSON.parse(JSON.stringify(view.spec)))
    expect(again.input(encoded)).toEqual(view.input(encoded))
    const absurd = { ...encoded, joint: encoded.joint.map((u) => (Number.isNaN(u) ? u : 700)) }
    for (const value of view.input(absurd).x) expect(Math.abs(value)).toBeLessThanOrEqual(1e4)
  })
})
