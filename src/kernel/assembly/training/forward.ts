import { denseBlock, productBlock } from '../dense'
import { exp, fma, pad4, softClamp } from '../math'
import { pointer, word } from '../program'
import {
  ACTIVATIONS,
  ACTIVATION_BYTES,
  ACTNORM,
  BIAS,
  COUPLING,
  FACTOR,
  FIRST_LAYER,
  INPUTS,
  LAYERS,
  LAYER_BYTES,
  MAX_LOG_SCALE,
  OUT,
  OUTPUTS,
  PERMUTATION,
  ROTATION,
  ROWS,
  SPLIT,
  WEIGHTS,
} from './program'
import { blocks, contextBytes, contexts, dim, logDets, stateBytes, tape } from './tile'

/** Runs one operation over the tile, from the state at `from`; returns where it left the new state. */
export function forward(op: usize, from: usize): usize {
  const kind = word(op)
  const to = tape + pointer(op + OUT)
  for (let b: usize = 0; b < <usize>blocks; b++) {
    const x = from + b * stateBytes
    const z = to + b * stateBytes
    if (kind == COUPLING) couple(op, b, x, z)
    else if (kind == PERMUTATION) permute(pointer(op + 8), x, z)
    else if (kind == ACTNORM) normalize(pointer(op + 12), pointer(op + 16), x, z)
    else if (kind == ROTATION || kind == FACTOR) productBlock(pointer(op + 8), x, z, pad4(dim), dim)
    else unreachable()
  }
  return to
}

function permute(source: usize, x: usize, z: usize): void {
  for (let d = 0; d < dim; d++, source += 4, z += 32) memory.copy(z, x + (<usize>word(source) << 5), 32)
}

function normalize(bias: usize, scale: usize, x: usize, z: usize): void {
  for (let d = 0; d < dim; d++, bias += 4, scale += 4, x += 32, z += 32) {
    const a = v128.load32_splat(scale)
    const b = v128.load32_splat(bias)
    v128.store(z, fma(v128.load(x), a, b))
    v128.store(z, fma(v128.load(x, 16), a, b), 16)
  }
}

/** Keeps every layer's activations; of the last, exp(s) takes the place of the shifts. */
function couple(op: usize, b: usize, x: usize, z: usize): void {
  const kept = tape + pointer(op + ACTIVATIONS) + b * pointer(op + ACTIVATION_BYTES)
  const split = word(op + SPLIT)
  const splitBytes = <usize>split << 5
  memory.copy(kept, x, splitBytes)
  memory.copy(kept + splitBytes, contexts + b * contextBytes, contextBytes)
  const layers = word(op + LAYERS)
  let layer = op + FIRST_LAYER
  let q = kept
  for (let i = 1; i <= layers; i++, layer += LAYER_BYTES) {
    const out = kept + pointer(layer + ROWS)
    const floor: f32 = i < layers ? 0 : -Infinity
    denseBlock(pointer(layer + WEIGHTS), pointer(layer + BIAS), q, out, word(layer + INPUTS), word(layer + OUTPUTS), floor)
    q = out
  }
  memory.copy(z, x, splitBytes)
  const clamp = load<f32>(op + MAX_LOG_SCALE)
  const m = f32x4.splat(clamp)
  const twoOverM = f32x4.splat(2 / clamp)
  const twoM = f32x4.splat(2 * clamp)
  const shift = <usize>(dim - split) << 5
  const shifts = q + shift
  let sum0 = f32x4.splat(0)
  let sum1 = f32x4.splat(0)
  for (let p = q; p < shifts; p += 32) {
    const s0 = softClamp(v128.load(p), m, twoOverM, twoM)
    const s1 = softClamp(v128.load(p, 16), m, twoOverM, twoM)
    sum0 = f32x4.add(sum0, s0)
    sum1 = f32x4.add(sum1, s1)
    v128.store(p, s0)
    v128.store(p, s1, 16)
  }
  x += splitBytes
  z += splitBytes
  for (; q < shifts; q += 32, x += 32, z += 32) {
    const e0 = exp(v128.load(q))
    const e1 = exp(v128.load(q, 16))
    v128.store(z, fma(v128.load(x), e0, v128.load(q + shift)))
    v128.store(z, fma(v128.load(x, 16), e1, v128.load(q + shift, 16)), 16)
    v128.store(q + shift, e0)
    v128.store(q + shift, e1, 16)
  }
  const sums = logDets + (b << 5)
  v128.store(sums, f32x4.add(v128.load(sums), sum0))
  v128.store(sums, f32x4.add(v128.load(sums, 16), sum1), 16)
}
