import { denseRow } from './dense'
import { exp, fma, softClamp } from './math'
import {
  COUPLING,
  COUPLING_BYTES,
  DENSE,
  DENSE_BYTES,
  END,
  LAYER_BYTES,
  SELECT,
  SELECT_BYTES,
  pointer,
  word,
} from './program'

const IDENTITY: f32 = -Infinity

function selectRow(op: usize, dim: i32, from: usize, to: usize): void {
  let source = pointer(op + 4)
  let scale = pointer(op + 8)
  let bias = pointer(op + 12)
  const end = to + (<usize>dim << 2)
  for (; to < end; to += 4, source += 4, scale += 4, bias += 4) {
    const value = v128.load32_splat(from + (<usize>load<i32>(source) << 2))
    v128.store_lane<f32>(to, fma(value, v128.load32_splat(scale), v128.load32_splat(bias)), 0)
  }
}

/** In place; returns the log-det. Writes up to 3 floats past the state, whose buffers are padded. */
function couplingRow(op: usize, dim: i32, x: usize, context: usize, contextWidth: i32, work: usize, width: i32): f32 {
  const split = word(op + 4)
  const layers = word(op + 12)
  const bytes = <usize>width << 2
  let from = x
  if (contextWidth > 0) {
    from = work
    memory.copy(from, x, <usize>split << 2)
    memory.copy(from + (<usize>split << 2), context, <usize>contextWidth << 2)
  }
  const h = work + bytes
  const k = h + bytes
  let to = h
  let layer = op + COUPLING_BYTES
  for (let i = 1; i <= layers; i++, layer += LAYER_BYTES) {
    const floor: f32 = i < layers ? 0 : IDENTITY
    denseRow(pointer(layer + 16), pointer(layer + 12), from, to, word(layer), word(layer + 4), floor)
    from = to
    to = to == h ? k : h
  }
  const clamp = load<f32>(op + 8)
  const m = f32x4.splat(clamp)
  const twoOverM = f32x4.splat(2 / clamp)
  const twoM = f32x4.splat(2 * clamp)
  const moved = dim - split
  const shift = <usize>moved << 2
  let sum: f32 = 0
  let p = x + (<usize>split << 2)
  for (let d = 0; d < moved; d += 4, p += 16, from += 16) {
    const s = softClamp(v128.load(from), m, twoOverM, twoM)
    v128.store(p, fma(v128.load(p), exp(s), v128.load(from + shift)))
    v128.store(to, s)
    const lanes = min(4, moved - d)
    for (let lane = 0; lane < lanes; lane++) sum += load<f32>(to + (<usize>lane << 2))
  }
  return sum
}

/** One record through the whole program: the same arithmetic in the same order as a block, so the same bits. */
export function scoreRow(
  code: usize,
  dim: i32,
  x: usize,
  spare: usize,
  context: usize,
  contextWidth: i32,
  poison: f32,
  constant: f64,
  work: usize,
  width: i32,
  latent: usize,
): f64 {
  let logDet = poison
  let op = code
  let state = x
  let other = spare
  for (;;) {
    const kind = word(op)
    if (kind == END) break
    if (kind == COUPLING) {
      logDet += couplingRow(op, dim, state, context, contextWidth, work, width)
      op += COUPLING_BYTES + <usize>word(op + 12) * LAYER_BYTES
      continue
    }
    if (kind == DENSE) {
      denseRow(pointer(op + 12), pointer(op + 8), state, other, dim, dim, IDENTITY)
      op += DENSE_BYTES
    } else if (kind == SELECT) {
      selectRow(op, dim, state, other)
      op += SELECT_BYTES
    } else unreachable()
    const swap = state
    state = other
    other = swap
  }
  if (latent) memory.copy(latent, state, <usize>dim << 2)
  let sum = f32x4.splat(0)
  const end = state + (<usize>dim << 2)
  for (let p = state; p < end; p += 4) {
    const z = v128.load32_splat(p)
    sum = fma(z, z, sum)
  }
  return constant + <f64>logDet - 0.5 * <f64>f32x4.extract_lane(sum, 0)
}
