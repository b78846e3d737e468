import { fma, pad4 } from './math'

/**
 * One block of 8 records, records in lanes: activations are [feature][8] floats. Weights are packed
 * [outputs / 4][inputs][4], the outputs padded with zero weights to a multiple of 4, so `out` takes pad4(no) rows.
 * Inputs are summed in order on top of the bias, as in `denseRow`: a record's bits depend on nothing but itself.
 * Every output is raised to `floor`: 0 is ReLU, −∞ the identity; NaN passes either way.
 */
// @ts-ignore: decorator
@inline
export function denseBlock(w: usize, bias: usize, x: usize, out: usize, ni: i32, no: i32, floor: f32): void {
  const low = f32x4.splat(floor)
  const end = x + (<usize>ni << 5)
  const lastOut = out + (<usize>pad4(no) << 5)
  while (out < lastOut) {
    let a0 = v128.load32_splat(bias)
    let a1 = v128.load32_splat(bias, 4)
    let a2 = v128.load32_splat(bias, 8)
    let a3 = v128.load32_splat(bias, 12)
    let b0 = a0
    let b1 = a1
    let b2 = a2
    let b3 = a3
    for (let p = x; p < end; p += 32) {
      const x0 = v128.load(p)
      const x1 = v128.load(p, 16)
      let s = v128.load32_splat(w)
      a0 = fma(s, x0, a0)
      b0 = fma(s, x1, b0)
      s = v128.load32_splat(w, 4)
      a1 = fma(s, x0, a1)
      b1 = fma(s, x1, b1)
      s = v128.load32_splat(w, 8)
      a2 = fma(s, x0, a2)
      b2 = fma(s, x1, b2)
      s = v128.load32_splat(w, 12)
      a3 = fma(s, x0, a3)
      b3 = fma(s, x1, b3)
      w += 16
    }
    v128.store(out, f32x4.pmax(a0, low))
    v128.store(out, f32x4.pmax(b0, low), 16)
    v128.store(out, f32x4.pmax(a1, low), 32)
    v128.store(out, f32x4.pmax(b1, low), 48)
    v128.store(out, f32x4.pmax(a2, low), 64)
    v128.store(out, f32x4.pmax(b2, low), 80)
    v128.store(out, f32x4.pmax(a3, low), 96)
    v128.store(out, f32x4.pmax(b3, low), 112)
    out += 128
    bias += 16
  }
}

/** One record, outputs in lanes, the same packing: `x` is [ni] floats and `out` takes pad4(no). */
export function denseRow(w: usize, bias: usize, x: usize, out: usize, ni: i32, no: i32, floor: f32): void {
  const low = f32x4.splat(floor)
  const step = <usize>ni << 4
  const end = x + (<usize>ni << 2)
  let groups = pad4(no) >> 2
  for (; groups >= 4; groups -= 4) {
    const w1 = w + step
    const w2 = w1 + step
    const w3 = w2 + step
    let a0 = v128.load(bias)
    let a1 = v128.load(bias, 16)
    let a2 = v128.load(bias, 32)
    let a3 = v128.load(bias, 48)
    let i: usize = 0
    for (let p = x; p < end; p += 4, i += 16) {
      const v = v128.load32_splat(p)
      a0 = fma(v128.load(w + i), v, a0)
      a1 = fma(v128.load(w1 + i), v, a1)
      a2 = fma(v128.load(w2 + i), v, a2)
      a3 = fma(v128.load(w3 + i), v, a3)
    }
    v128.store(out, f32x4.pmax(a0, low))
    v128.store(out, f32x4.pmax(a1, low), 16)
    v128.store(out, f32x4.pmax(a2, low), 32)
    v128.store(out, f32x4.pmax(a3, low), 48)
    out += 64
    bias += 64
    w = w3 + step
  }
  for (; groups > 0; groups -= 1) {
    let a = v128.load(bias)
    for (let p = x; p < end; p += 4, w += 16) a = fma(v128.load(w), v128.load32_splat(p), a)
    v128.store(out, f32x4.pmax(a, low))
    out += 16
    bias += 16
  }
}
