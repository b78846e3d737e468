import { fma } from '../math'

/** The 4 × 4 transpose of a, b, c, d, stored with `stride` bytes between its rows. */
// @ts-ignore: decorator
@inline
export function storeTransposed(a: v128, b: v128, c: v128, d: v128, to: usize, stride: usize): void {
  const ab0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5)
  const ab1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7)
  const cd0 = v128.shuffle<f32>(c, d, 0, 4, 1, 5)
  const cd1 = v128.shuffle<f32>(c, d, 2, 6, 3, 7)
  v128.store(to, v128.shuffle<f64>(ab0, cd0, 0, 2))
  v128.store(to + stride, v128.shuffle<f64>(ab0, cd0, 1, 3))
  v128.store(to + 2 * stride, v128.shuffle<f64>(ab1, cd1, 0, 2))
  v128.store(to + 3 * stride, v128.shuffle<f64>(ab1, cd1, 1, 3))
}

/** One block [outputs][8] to [8][outputs], `outputs` a multiple of 4. */
export function transposeBlock(block: usize, outputs: i32, to: usize): void {
  const stride = <usize>outputs << 2
  for (let o = 0; o < outputs; o += 4, block += 128, to += 16) {
    storeTransposed(v128.load(block), v128.load(block, 32), v128.load(block, 64), v128.load(block, 96), to, stride)
    storeTransposed(
      v128.load(block, 16),
      v128.load(block, 48),
      v128.load(block, 80),
      v128.load(block, 112),
      to + 4 * stride,
      stride,
    )
  }
}

/** bias_o += Σ over the records of dy[record][o]. */
export function addSums(bias: usize, dy: usize, outputs: i32, records: i32): void {
  const stride = <usize>outputs << 2
  for (let o = 0; o < outputs; o += 4, bias += 16, dy += 16) {
    let even = v128.load(bias)
    let odd = f32x4.splat(0)
    let p = dy
    for (let r = 0; r < records; r += 2, p += 2 * stride) {
      even = f32x4.add(even, v128.load(p))
      odd = f32x4.add(odd, v128.load(p + stride))
    }
    v128.store(bias, f32x4.add(even, odd))
  }
}

/**
 * G[o][i] += Σ over the tile's records of dy[o] · x[i]: dy is [record][outputs], x [feature][8] blocks, G packed like
 * weights, outputs and inputs multiples of 4. Outputs in lanes, so no sum runs across lanes.
 */
export function addOuter(
  gradient: usize,
  dy: usize,
  x: usize,
  xBlockBytes: usize,
  outputs: i32,
  inputs: i32,
  blocks: i32,
): void {
  const stride = <usize>outputs << 2
  const groupBytes = <usize>inputs << 4
  let o = 0
  for (; o + 8 <= outputs; o += 8, dy += 32, gradient += 2 * groupBytes) {
    let xi = x
    let g = gradient
    for (let i = 0; i < inputs; i += 4, xi += 128, g += 64) {
      const h = g + groupBytes
      let a0 = v128.load(g)
      let a1 = v128.load(g, 16)
      let a2 = v128.load(g, 32)
      let a3 = v128.load(g, 48)
      let b0 = v128.load(h)
      let b1 = v128.load(h, 16)
      let b2 = v128.load(h, 32)
      let b3 = v128.load(h, 48)
      let p = dy
      let block = xi
      for (let b = 0; b < blocks; b++, block += xBlockBytes) {
        for (let q = block; q < block + 32; q += 4, p += stride) {
          const d0 = v128.load(p)
          const d1 = v128.load(p, 16)
          let s = v128.load32_splat(q)
          a0 = fma(s, d0, a0)
          b0 = fma(s, d1, b0)
          s = v128.load32_splat(q, 32)
          a1 = fma(s, d0, a1)
          b1 = fma(s, d1, b1)
          s = v128.load32_splat(q, 64)
          a2 = fma(s, d0, a2)
          b2 = fma(s, d1, b2)
          s = v128.load32_splat(q, 96)
          a3 = fma(s, d0, a3)
          b3 = fma(s, d1, b3)
        }
      }
      v128.store(g, a0)
      v128.store(g, a1, 16)
      v128.store(g, a2, 32)
      v128.store(g, a3, 48)
      v128.store(h, b0)
      v128.store(h, b1, 16)
      v128.store(h, b2, 32)
      v128.store(h, b3, 48)
    }
  }
  if (o < outputs) addOuterGroup(gradient, dy, x, xBlockBytes, stride, inputs, blocks)
}

/** The last 4 outputs where their number is odd in fours. */
function addOuterGroup(
  gradient: usize,
  dy: usize,
  x: usize,
  xBlockBytes: usize,
  stride: usize,
  inputs: i32,
  blocks: i32,
): void {
  for (let i = 0; i < inputs; i += 4, x += 128, gradient += 64) {
    let a0 = v128.load(gradient)
    let a1 = v128.load(gradient, 16)
    let a2 = v128.load(gradient, 32)
    let a3 = v128.load(gradient, 48)
    let p = dy
    let block = x
    for (let b = 0; b < blocks; b++, block += xBlockBytes) {
      for (let q = block; q < block + 32; q += 4, p += stride) {
        const d = v128.load(p)
        a0 = fma(v128.load32_splat(q), d, a0)
        a1 = fma(v128.load32_splat(q, 32), d, a1)
        a2 = fma(v128.load32_splat(q, 64), d, a2)
        a3 = fma(v128.load32_splat(q, 96), d, a3)
      }
    }
    v128.store(gradient, a0)
    v128.store(gradient, a1, 16)
    v128.store(gradient, a2, 32)
    v128.store(gradient, a3, 48)
  }
}
