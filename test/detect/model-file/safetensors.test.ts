import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readSafetensors, writeSafetensors } from '../../../src/detect/model-file/safetensors.ts'

function file(header: unknown, data: Uint8Array = new Uint8Array(0), length?: bigint): Uint8Array {
  const json = typeof header === 'string' ? header : JSON.stringify(header)
  const text = new TextEncoder().encode(json)
  const bytes = new Uint8Array(8 + text.length + data.length)
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true)
  bytes.set(text, 8)
  bytes.set(data, 8 + text.length)
  return bytes
}
const f32 = (from: number, to: number, shape: readonly number[] = [(to - from) / 4]) => ({
  dtype: 'F32',
  shape,
  data_offsets: [from, to],
})

describe('a safetensors file', () => {
  it('round-trips metadata and tensors exactly, whatever they are called', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.stringMatching(/^[a-z0-9.]{1,12}$/), fc.float32Array({ noNaN: true, maxLength: 20 })),
          { maxLength: 6 },
        ),
        fc.string(),
        (tensors, text) => {
          const kept = new Map(tensors.filter(([name]) => !['constructor', 'prototype'].includes(name)))
          const back = readSafetensors(
            writeSafetensors({
              metadata: new Map([['manifest', text]]),
              tensors: new Map([...kept].map(([name, data]) => [name, { shape: [data.length], data }])),
            }),
          )
          expect(back.metadata.get('manifest')).toBe(text)
          expect(new Map([...back.tensors].map(([name, t]) => [name, t.data]))).toEqual(kept)
        },
      ),
    )
  })

  it('reads from an unaligned view of a larger buffer', () => {
    const bytes = writeSafetensors({
      metadata: new Map(),
      tensors: new Map([['a', { shape: [2], data: Float32Array.of(1.5, -2) }]]),
    })
    const padded = new Uint8Array(bytes.length + 3)
    padded.set(bytes, 3)
    expect(readSafetensors(padded.subarray(3)).tensors.get('a')?.data).toEqual(Float32Array.of(1.5, -2))
  })

  it.each([
    ['an empty file', new Uint8Array(0), /8-byte header length/],
    ['a huge header length', file({}, undefined, 2n ** 63n), /header claims/],
    ['a header that is not JSON', file('{]'), /not JSON/],
    ['a header that is a list', file([]), /not a JSON object/],
    ['metadata that is not text', file({ __metadata__: { a: 1 } }), /not text/],
    ['another type', file({ a: { ...f32(0, 4), dtype: 'F16' } }, new Uint8Array(4)), /only "F32"/],
    ['a negative shape', file({ a: f32(0, 4, [-1]) }, new Uint8Array(4)), /no valid shape/],
    ['a shape of another size', file({ a: f32(0, 8, [3]) }, new Uint8Array(8)), /8 bytes for shape/],
    ['a truncated tensor', file({ a: f32(0, 8) }, new Uint8Array(4)), /truncated/],
    ['overlapping tensors', file({ a: f32(0, 8), b: f32(4, 12) }, new Uint8Array(12)), /overlaps/],
    ['a gap', file({ a: f32(0, 4), b: f32(8, 12) }, new Uint8Array(12)), /gap/],
    ['trailing bytes', file({ a: f32(0, 4) }, new Uint8Array(9)), /follow the last tensor/],
    [
      'a prototype key',
      file(`{"__proto__":${JSON.stringify(f32(0, 4))}}`, new Uint8Array(4)),
      /not a tensor name/,
    ],
  ])('is refused with what is wrong: %s', (_, bytes, message) => {
    expect(() => readSafetensors(bytes)).toThrowError(
      expect.objectContaining({ code: 'MODEL_INVALID', message: expect.stringMatching(message) }),
    )
  })

  it('never crashes on noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => readSafetensors(bytes)).toThrowError(expect.objectContaining({ code: 'MODEL_INVALID' }))
      }),
    )
  })
})
