import { describe, expect, it } from 'vitest'
import { isSurprisalError } from '../../src/core/errors.ts'
import { decodeCheckpoint, encodeCheckpoint, type FitState } from '../../src/train/checkpoint.ts'

const tensor = (...values: number[]) =>
  new Map([['0.bias', { shape: [values.length], data: Float32Array.from(values) }]])
const STATE: FitState = {
  fingerprint: 'abc',
  start: { candidate: null, nll: 3.25, freshNll: 3.25 },
  step: 40,
  batches: { order: Int32Array.of(2, 0, 1), position: 1, rng: [1, 2, 3, 4, -0.123456789012345, 1] },
  trainer: { weights: tensor(1.1, -0), moment1: tensor(2.2, 3), moment2: tensor(1e-38, 5), step: 40 },
  best: { weights: tensor(0.1, 0.2), step: 20, nll: 1.2345678901234567 },
  misses: 1,
  rateScale: 0.25,
  restarts: 2,
  finished: false,
}
const codeOf = (bytes: Uint8Array) => {
  try {
    decodeCheckpoint(bytes)
  } catch (error) {
    return isSurprisalError(error) ? error.code : error
  }
  return undefined
}

describe('a checkpoint', () => {
  it('keeps every bit', () => {
    expect(decodeCheckpoint(encodeCheckpoint(STATE))).toEqual(STATE)
    const unseen = { ...STATE, best: { ...STATE.best, nll: Number.POSITIVE_INFINITY } }
    expect(decodeCheckpoint(encodeCheckpoint(unseen))).toEqual(unseen)
  })

  it('is refused when cut short or something else', () => {
    const bytes = encodeCheckpoint(STATE)
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(bytes.subarray(0, length))).toBe('MODEL_INVALID')
    }
    expect(codeOf(Buffer.from('\x04\x00\x00\x00{}  '))).toBe('MODEL_INVALID')
    expect(codeOf(Buffer.from('\x04\x00\x00\x00what'))).toBe('MODEL_INVALID')
  })
})
