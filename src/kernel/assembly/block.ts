import { denseBlock } from './dense'
import { exp, fma, softClamp } from './math'
import { COUPLING_BYTES, LAYER_BYTES, pointer, word } from './program'

const IDENTITY: f32 = -Infinity

/** 8 rows of [rows][dim] to [dim][8]; rows past the last repeat it. */
export function loadBlock(x: usize, dim: i32, rows: i32, block: usize): void {
  for (let r = 0; r < 8; r++) {
    let from = x + (<usize>(min(r, rows - 1) * dim) << 2)
    let to = block + (<usize>r << 2)
    for (let d = 0; d < dim; d++, from += 4, to += 32) store<f32>(to, load<f32>(from))
  }
}

export function storeBlock(block: usize, dim: i32, rows: i32, z: usize): void {
  for (let r = 0; r < rows; r++) {
    let to = z + (<usize>(r * dim) << 2)
    let from = block + (<usize>r << 2)
    for (let d = 0; d < dim; d++, to += 4, from += 32) store<f32>(to, load<f32>(from))
  }
}

export function denseOp(op: usize, dim: i32, from: usize, to: usize): void {
  denseBlock(pointer(op + 4), pointer(op + 8), from, to, dim, dim, IDENTITY)
}

export function selectOp(op: usize, dim: i32, from: usize, to: usize): void {
  let source = pointer(op + 4)
  let scale = pointer(op + 8)
  let bias = pointer(op + 12)
  const end = to + (<usize>dim << 5)
  for (; to < end; to += 32, source += 4, scale += 4, bias += 4) {
    const p = from + (<usize>load<i32>(source) << 5)
    const a = v128.load32_splat(scale)
    const b = v128.load32_splat(bias)
    v128.store(to, fma(v128.load(p), a, b))
    v128.store(to, fma(v128.load(p, 16), a, b), 16)
  }
}

/** Runs the conditioner from `input` through the buffers h and k in turn; returns where its outputs lie. */
function conditioner(op: usize, input: usize, h: usize, k: usize): usize {
  const layers = word(op + 12)
  let layer = op + COUPLING_BYTES
  let from = input
  let to = h
  for (let i = 1; i <= layers; i++, layer += LAYER_BYTES) {
    const floor: f32 = i < layers ? 0 : IDENTITY
    denseBlock(pointer(layer + 8), pointer(layer + 12), from, to, word(layer), word(layer + 4), floor)
    from = to
    to = to == h ? k : h
  }
  return from
}

/** In place; adds the log-scales to the 8 log-determinants at `logDet`. `work` holds three activations of `width`. */
export function couplingOp(
  op: usize,
  dim: i32,
  block: usize,
  context: usize,
  contextWidth: i32,
  logDet: usize,
  work: usize,
  width: i32,
): void {
  const split = word(op + 4)
  const bytes = <usize>width << 5
  let input = block
  if (contextWidth > 0) {
    input = work
    memory.copy(input, block, <usize>split << 5)
    memory.copy(input + (<usize>split << 5), context, <usize>contextWidth << 5)
  }
  let q = conditioner(op, input, work + bytes, work + 2 * bytes)
  const clamp = load<f32>(op + 8)
  const m = f32x4.splat(clamp)
  const twoOverM = f32x4.splat(2 / clamp)
  const twoM = f32x4.splat(2 * clamp)
  const shift = <usize>(dim - split) << 5
  const shifts = q + shift
  const moved = block + (<usize>split << 5)
  // Two short passes over one vector at a time: a long one is bound by the latency of its two exponentials, a wide one
  // spills their constants.
  for (let half: usize = 0; half < 32; half += 16) {
    let sum = f32x4.splat(0)
    for (let p = q + half; p < shifts; p += 32) {
      const s = softClamp(v128.load(p), m, twoOverM, twoM)
      sum = f32x4.add(sum, s)
      v128.store(p, s)
    }
    v128.store(logDet + half, f32x4.add(v128.load(logDet + half), sum))
    let from = q + half
    for (let p = moved + half; from < shifts; p += 32, from += 32)
      v128.store(p, fma(v128.load(p), exp(v128.load(from)), v128.load(from + shift)))
  }
}

/** log p of the block's first `rows` records, float64: constant + log-det − ½ |z|². */
export function logProbOp(block: usize, dim: i32, logDet: usize, rows: i32, constant: f64, out: usize): void {
  let sum0 = f32x4.splat(0)
  let sum1 = f32x4.splat(0)
  const end = block + (<usize>dim << 5)
  for (let p = block; p < end; p += 32) {
    const z0 = v128.load(p)
    const z1 = v128.load(p, 16)
    sum0 = fma(z0, z0, sum0)
    sum1 = fma(z1, z1, sum1)
  }
  v128.store(block, sum0)
  v128.store(block, sum1, 16)
  for (let r = 0; r < rows; r++) {
    const at = <usize>r << 2
    store<f64>(out + (<usize>r << 3), constant + <f64>load<f32>(logDet + at) - 0.5 * <f64>load<f32>(block + at))
  }
}
