import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSurprisalError } from '../../src/core/errors.ts'
import type { FlowWeights, WeightTensor } from '../../src/core/flow-spec.ts'
import { glow, realNvp } from '../../src/flow/architectures.ts'
import { validateSpec, validateWeights } from '../../src/flow/validation.ts'
import { initialWeights } from '../../src/flow/weights.ts'

const sound = glow({
  dim: 4,
  steps: 2,
  hidden: [8],
  context: { numeric: 1, embeddings: [{ levels: 5, width: 2 }] },
})
const coupling = { kind: 'affine-coupling', split: 2, hidden: [8], maxLogScale: 2 }

describe('a flow spec', () => {
  it('survives JSON', () => {
    expect(validateSpec(JSON.parse(JSON.stringify(sound)))).toEqual(sound)
  })

  it.each([
    ['no object', null, 'flow is null: it must be an object'],
    ['a huge dim', { ...sound, dim: 1e9 }, 'dim is 1000000000: it must be a whole number in [1, 4096]'],
    ['dim 0', { ...sound, dim: 0 }, 'dim is 0'],
    ['a fractional dim', { ...sound, dim: 2.5 }, 'dim is 2.5'],
    ['dim as text', { ...sound, dim: '4' }, 'dim is 4'],
    [
      'an unknown base',
      { ...sound, base: { kind: 'cauchy' } },
      "base.kind is cauchy: it must be 'standard-normal'",
    ],
    ['no list of bijectors', { ...sound, bijectors: {} }, 'bijectors is {}: it must be an array'],
    ['too many bijectors', { ...sound, bijectors: Array(5000).fill({ kind: 'actnorm' }) }, '5000 entries'],
    ['an unknown bijector', { ...sound, bijectors: [{ kind: 'spline' }] }, 'bijectors[0].kind is spline'],
    ['a prototype as bijector', { ...sound, bijectors: [{ kind: 'constructor' }] }, 'bijectors[0].kind'],
    [
      'a repeated index',
      { ...sound, bijectors: [{ kind: 'permutation', order: [0, 0, 1, 2] }] },
      'each of 0 … 3',
    ],
    ['a short order', { ...sound, bijectors: [{ kind: 'permutation', order: [0] }] }, '1 entries'],
    ['a split beyond dim', { ...sound, bijectors: [{ ...coupling, split: 4 }] }, 'split is 4'],
    ['a negative layer', { ...sound, bijectors: [{ ...coupling, hidden: [-8] }] }, 'hidden[0] is -8'],
    [
      'an endless clamp',
      { ...sound, bijectors: [{ ...coupling, maxLogScale: Infinity }] },
      'maxLogScale is Infinity',
    ],
    [
      'a clamp of NaN',
      { ...sound, bijectors: [{ ...coupling, maxLogScale: Number.NaN }] },
      'maxLogScale is NaN',
    ],
    [
      'no levels',
      { ...sound, context: { numeric: 0, embeddings: [{ levels: 0, width: 1 }] } },
      'levels is 0',
    ],
    [
      'weights beyond memory',
      { ...sound, bijectors: Array(64).fill({ ...coupling, hidden: [16_384, 16_384] }) },
      'weights: it may hold at most',
    ],
  ])('with %s is refused', (_, value, message) => {
    const error = thrownBy(() => validateSpec(value))
    expect(isSurprisalError(error, 'FLOW_SPEC_INVALID')).toBe(true)
    expect((error as Error).message).toContain(message)
  })

  it('is either accepted or refused with FLOW_SPEC_INVALID, whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (context, bijector) => {
        const error = thrownBy(() => validateSpec({ ...sound, context, bijectors: [bijector] }))
        return error === undefined || isSurprisalError(error, 'FLOW_SPEC_INVALID')
      }),
    )
  })
})

describe('flow weights', () => {
  const spec = realNvp({ dim: 4, steps: 1, hidden: [8] })
  const changed = (name: string, change: (tensor: WeightTensor) => WeightTensor | undefined): FlowWeights => {
    const weights = new Map(initialWeights(spec, 1))
    const tensor = change(weights.get(name) ?? { shape: [1], data: new Float32Array(1) })
    if (tensor === undefined) weights.delete(name)
    else weights.set(name, tensor)
    return weights
  }

  it('as drawn are accepted', () => {
    validateWeights(spec, initialWeights(spec, 1))
    validateWeights(sound, initialWeights(sound, 1))
  })

  it.each([
    ['a missing tensor', changed('0.bias', () => undefined), "weights lack '0.bias' of shape [4]"],
    ['a foreign tensor', changed('9.bias', (t) => t), "weights hold '9.bias', which the spec does not have"],
    ['another shape', changed('0.bias', ({ data }) => ({ shape: [2, 2], data })), 'has shape [2,2]'],
    [
      'too few numbers',
      changed('0.bias', ({ shape }) => ({ shape, data: new Float32Array(3) })),
      'holds 3 numbers',
    ],
    [
      'NaN',
      changed('0.bias', ({ shape }) => ({ shape, data: Float32Array.of(0, Number.NaN, 0, 0) })),
      "'0.bias'[1] is NaN",
    ],
    [
      'a skewed rotation',
      changed('1.matrix', ({ shape, data }) => ({ shape, data: data.map((v) => 2 * v) })),
      "'1.matrix' is not orthogonal",
    ],
  ])('with %s are refused', (_, weights, message) => {
    const error = thrownBy(() => validateWeights(spec, weights))
    expect(isSurprisalError(error, 'FLOW_SPEC_INVALID')).toBe(true)
    expect((error as Error).message).toContain(message)
  })

  it('with signs other than ±1, or a broken row permutation, are refused', () => {
    for (const name of ['1.sign', '1.permutation']) {
      const weights = new Map(initialWeights(sound, 1))
      weights.set(name, { shape: [4], data: Float32Array.of(1, 1, 0.5, 1) })
      expect(
        isSurprisalError(
          thrownBy(() => validateWeights(sound, weights)),
          'FLOW_SPEC_INVALID',
        ),
      ).toBe(true)
    }
  })
})

function thrownBy(action: () => void): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  return undefined
}
