import { fma, pad4 } from './math'

// @ts-ignore: decorator
@inline
const BIASED = 0
// @ts-ignore: decorator
@inline
const PLAIN = 1
// @ts-ignore: decorator
@inline
const MASKED = 2

/**
 * One block of 8 records, records in lanes: activations are [feature][8] floats. Weights are packed
 * [outputs / 4][inputs][4], the outputs padded with zero weights to a multiple of 4, so `out` takes pad4(no) rows.
 * Inputs are summed in order on top of the bias, as in `denseRow`: a record's bits depend on nothing but itself.
 * Every output is raised to `floor`: 0 is ReLU, −∞ the identity; NaN passes either way.
 */
// @ts-ignore: decorator
@inline
export function denseBlock(w: usize, bias: usize, x: usize, out: usize, ni: i32, no: i32, floor: f32): void {
  denseCore(BIASED, w, bias, x, out, ni, no, floor, 0)
}

/** Without bias: out = W x. */
export function productBlock(w: usize, x: usize, out: usize, ni: i32, no: i32): void {
  denseCore(PLAIN, w, 0, x, out, ni, no, 0, 0)
}

/** Without bias, and 0 where the activation of that place is not above 0: the gradient through a ReLU. */
export function maskedProductBlock(w: usize, x: usize, out: usize, ni: i32, no: i32, activation: usize): void {
  denseCore(MASKED, w, 0, x, out, ni, no, 0, activation)
}

/**
 * The register block of 4 outputs × 2 vectors. The engine (V8) issues all loads of a pass before its sums: 8 sums and 6
 * loads just fit the 15 registers that it has, and any wider block spills.
 */
// @ts-ignore: decorator
@inline
function denseCore(
  mode: i32,
  w: usize,
  bias: usize,
  x: usize,
  out: usize,
  ni: i32,
  no: i32,
  floor: f32,
  activation: usize,
): void {
  const low = mode == MASKED ? f32x4.splat(0) : f32x4.splat(floor)
  const end = x + (<usize>ni << 5)
  const lastOut = out + (<usize>pad4(no) << 5)
  while (out < lastOut) {
    let a0 = mode == BIASED ? v128.load32_splat(bias) : f32x4.splat(0)
    let a1 = mode == BIASED ? v128.load32_splat(bias, 4) : a0
    let a2 = mode == BIASED ? v128.load32_splat(bias, 8) : a0
    let a3 = mode == BIASED ? v128.load32_splat(bias, 12) : a0
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
    storeOutput(mode, out, a0, b0, low, activation)
    storeOutput(mode, out + 32, a1, b1, low, activation + 32)
    storeOutput(mode, out + 64, a2, b2, low, activation + 64)
    storeOutput(mode, out + 96, a3, b3, low, activation + 96)
    out += 128
    if (mode == BIASED) bias += 16
    if (mode == MASKED) activation += 128
  }
}

// @ts-ignore: decorator
@inline
function storeOutput(mode: i32, out: usize, a: v128, b: v128, low: v128, activation: usize): void {
  if (mode == BIASED) {
    v128.store(out, f32x4.pmax(a, low))
    v128.store(out, f32x4.pmax(b, low), 16)
  } else if (mode == MASKED) {
    v128.store(out, v128.and(a, f32x4.gt(v128.load(activation), low)))
    v128.store(out, v128.and(b, f32x4.gt(v128.load(activation, 16), low)), 16)
  } else {
    v128.store(out, a)
    v128.store(out, b, 16)
  }
}

/**
 * One record, outputs in lanes: `x` is [ni] floats and `out` takes pad4(no). Weights are packed anew so that they are
 * read in one stream: as many stripes of 24 outputs as fit, then of 16, then of 4, each [inputs][width].
 */
export function denseRow(w: usize, bias: usize, x: usize, out: usize, ni: i32, no: i32, floor: f32): void {
  const low = f32x4.splat(floor)
  const end = x + (<usize>ni << 2)
  let left = pad4(no)
  for (; left >= 24; left -= 24) {
    let a0 = v128.load(bias)
    let a1 = v128.load(bias, 16)
    let a2 = v128.load(bias, 32)
    let a3 = v128.load(bias, 48)
    let a4 = v128.load(bias, 64)
    let a5 = v128.load(bias, 80)
    for (let p = x; p < end; p += 4, w += 96) {
      const v = v128.load32_splat(p)
      a0 = fma(v128.load(w), v, a0)
      a1 = fma(v128.load(w, 16), v, a1)
      a2 = fma(v128.load(w, 32), v, a2)
      a3 = fma(v128.load(w, 48), v, a3)
      a4 = fma(v128.load(w, 64), v, a4)
      a5 = fma(v128.load(w, 80), v, a5)
    }
    v128.store(out, f32x4.pmax(a0, low))
    v128.store(out, f32x4.pmax(a1, low), 16)
    v128.store(out, f32x4.pmax(a2, low), 32)
    v128.store(out, f32x4.pmax(a3, low), 48)
    v128.store(out, f32x4.pmax(a4, low), 64)
    v128.store(out, f32x4.pmax(a5, low), 80)
    out += 96
    bias += 96
  }
  for (; left >= 16; left -= 16) {
    let a0 = v128.load(bias)
    let a1 = v128.load(bias, 16)
    let a2 = v128.load(bias, 32)
    let a3 = v128.load(bias, 48)
    for (let p = x; p < end; p += 4, w += 64) {
      const v = v128.load32_splat(p)
      a0 = fma(v128.load(w), v, a0)
      a1 = fma(v128.load(w, 16), v, a1)
      a2 = fma(v128.load(w, 32), v, a2)
      a3 = fma(v128.load(w, 48), v, a3)
    }
    v128.store(out, f32x4.pmax(a0, low))
    v128.store(out, f32x4.pmax(a1, low), 16)
    v128.store(out, f32x4.pmax(a2, low), 32)
    v128.store(out, f32x4.pmax(a3, low), 48)
    out += 64
    bias += 64
  }
  for (; left > 0; left -= 4) {
    let a = v128.load(bias)
    for (let p = x; p < end; p += 4, w += 16) a = fma(v128.load(w), v128.load32_splat(p), a)
    v128.store(out, f32x4.pmax(a, low))
    out += 16
    bias += 16
  }
}
