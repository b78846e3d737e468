import { describe, expect, it } from 'vitest'
import type { BijectorSpec } from '../../src/core/flow-spec.ts'
import { BIJECTORS, createBijector } from '../../src/flow/bijectors/table.ts'
import { bijectorSuite } from '../conformance/bijector.suite.ts'

const coupling = (split: number, hidden: readonly number[], maxLogScale = 2): BijectorSpec => ({
  kind: 'affine-coupling',
  split,
  hidden,
  maxLogScale,
})

const SUBJECTS: readonly (readonly [name: string, spec: BijectorSpec, dim: number, context: number])[] = [
  ['actnorm', { kind: 'actnorm' }, 4, 0],
  ['actnorm, one dimension', { kind: 'actnorm' }, 1, 0],
  ['permutation', { kind: 'permutation', order: [2, 0, 3, 1] }, 4, 0],
  ['rotation', { kind: 'rotation' }, 5, 0],
  ['lu-linear', { kind: 'lu-linear' }, 4, 0],
  ['lu-linear, one dimension', { kind: 'lu-linear' }, 1, 0],
  ['affine-coupling', coupling(2, [6, 5]), 4, 0],
  ['affine-coupling with context', coupling(2, [6], 1.5), 5, 3],
  ['affine-coupling of one dimension with context', coupling(0, [5]), 1, 2],
  ['affine-coupling without inputs', coupling(0, [5]), 1, 0],
  ['affine-coupling without hidden layers', coupling(1, []), 3, 0],
]

for (const [name, spec, dim, contextWidth] of SUBJECTS) {
  const logDetBound = spec.kind === 'affine-coupling' ? (dim - spec.split) * spec.maxLogScale : undefined
  bijectorSuite(name, {
    spec,
    dim,
    contextWidth,
    create: createBijector,
    ...(logDetBound === undefined ? {} : { logDetBound }),
  })
}

describe('the table of bijectors', () => {
  it('is covered by the suite', () => {
    expect([...new Set(SUBJECTS.map(([, spec]) => spec.kind))].sort()).toEqual(Object.keys(BIJECTORS).sort())
  })
})
