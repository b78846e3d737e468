import { pad4 } from '../math'
import { CODE, DIM, pointer, word } from '../program'
import { storeTransposed } from './outer'
import {
  ACTNORM,
  COUPLING,
  FACTOR,
  FIRST_LAYER,
  FIRST_OPERATION,
  INPUTS,
  LAYERS,
  LAYER_BYTES,
  OUTPUTS,
  TRANSPOSED,
  WEIGHTS,
} from './program'

/** Index of [d][d] in a packed matrix with `inputs` inputs, in bytes. */
// @ts-ignore: decorator
@inline
function diagonalAt(d: i32, inputs: i32): usize {
  return <usize>(((d >> 2) * inputs + d) * 4 + (d & 3)) << 2
}

/**
 * Turns the gradient of every triangular factor into that of what is trained of it: the log-diagonal's from the
 * diagonal's and from the log-det of `rows` records, and zero outside the strict triangle.
 */
export function finishGradient(program: usize, operations: i32, rows: i32, delta: usize): void {
  const dim = word(program + DIM)
  const dim4 = pad4(dim)
  for (let i = 0; i < operations; i++) {
    const op = pointer(pointer(program + CODE) + FIRST_OPERATION + (<usize>i << 2))
    if (word(op) != FACTOR) continue
    const weights = pointer(op + 8)
    const logDiagonal = pointer(op + 20)
    for (let d = 0; logDiagonal && d < dim; d++) {
      const at = weights + diagonalAt(d, dim4)
      const to = logDiagonal + delta + (<usize>d << 2)
      store<f32>(to, load<f32>(to) + load<f32>(at + delta) * load<f32>(at) - <f32>rows)
    }
    let mask = pointer(op + 16)
    let g = weights + delta
    const end = g + (<usize>(dim4 * dim4) << 2)
    for (; g < end; g += 16, mask += 16) v128.store(g, v128.and(v128.load(g), v128.load(mask)))
  }
}

/**
 * Recomputes what operation i derives from its parameters: scales, diagonals, transposed weights. Returns its log-det
 * that depends on no record.
 */
export function refresh(program: usize, i: i32): f64 {
  const op = pointer(pointer(program + CODE) + FIRST_OPERATION + (<usize>i << 2))
  const dim = word(program + DIM)
  const kind = word(op)
  let logDet: f64 = 0
  if (kind == ACTNORM) {
    const logScale = pointer(op + 8)
    for (let d: usize = 0; d < <usize>dim << 2; d += 4) {
      const value = <f64>load<f32>(logScale + d)
      logDet += value
      store<f32>(pointer(op + 16) + d, <f32>Math.exp(value))
    }
  } else if (kind == FACTOR) {
    const logDiagonal = pointer(op + 20)
    const dim4 = pad4(dim)
    for (let d = 0; logDiagonal && d < dim; d++) {
      const value = <f64>load<f32>(logDiagonal + (<usize>d << 2))
      logDet += value
      const diagonal = load<f32>(pointer(op + 24) + (<usize>d << 2)) * <f32>Math.exp(value)
      store<f32>(pointer(op + 8) + diagonalAt(d, dim4), diagonal)
    }
    transposeWeights(pointer(op + 8), pointer(op + 12), dim4, dim4)
  } else if (kind == COUPLING) {
    let layer = op + FIRST_LAYER
    for (let l = word(op + LAYERS); l > 0; l--, layer += LAYER_BYTES)
      transposeWeights(pointer(layer + WEIGHTS), pointer(layer + TRANSPOSED), pad4(word(layer + OUTPUTS)), word(layer + INPUTS))
  }
  return logDet
}

/** [outputs / 4][inputs][4] to [inputs / 4][outputs][4], both multiples of 4. */
function transposeWeights(w: usize, to: usize, outputs: i32, inputs: i32): void {
  for (let o = 0; o < outputs; o += 4)
    for (let i = 0; i < inputs; i += 4, w += 64)
      storeTransposed(
        v128.load(w),
        v128.load(w, 16),
        v128.load(w, 32),
        v128.load(w, 48),
        to + (<usize>(i * outputs + o * 4) << 2),
        16,
      )
}

/** g_0 ← Σ over `parts` of g_part, in order, `bytes` apart; returns Σ g_0². The count is a multiple of 4. */
export function sumGradients(g: usize, count: i32, parts: i32, bytes: usize): f64 {
  let total: f64 = 0
  for (let i = 0; i < count; i += 4, g += 16) {
    let sum = v128.load(g)
    let part = g + bytes
    for (let k = 1; k < parts; k++, part += bytes) sum = f32x4.add(sum, v128.load(part))
    v128.store(g, sum)
    const low = f64x2.promote_low_f32x4(sum)
    const high = f64x2.promote_low_f32x4(v128.shuffle<f64>(sum, sum, 1, 1))
    const squares = f64x2.add(f64x2.mul(low, low), f64x2.mul(high, high))
    total += f64x2.extract_lane(squares, 0) + f64x2.extract_lane(squares, 1)
  }
  return total
}

/**
 * One step of Adam over `count` parameters (a multiple of 4) whose gradient is `scale` · g. `rate` is the learning
 * rate over the first moment's bias correction, `correction` the reciprocal of the second's; rest = 1 − beta.
 */
export function adam(
  p: usize,
  g: usize,
  m: usize,
  v: usize,
  count: i32,
  scale: f32,
  rate: f32,
  correction: f32,
  beta1: f32,
  rest1: f32,
  beta2: f32,
  rest2: f32,
  epsilon: f32,
): void {
  for (let i = 0; i < count; i += 4, p += 16, g += 16, m += 16, v += 16) {
    const gradient = f32x4.mul(v128.load(g), f32x4.splat(scale))
    const first = f32x4.add(
      f32x4.mul(v128.load(m), f32x4.splat(beta1)),
      f32x4.mul(gradient, f32x4.splat(rest1)),
    )
    const second = f32x4.add(
      f32x4.mul(v128.load(v), f32x4.splat(beta2)),
      f32x4.mul(f32x4.mul(gradient, gradient), f32x4.splat(rest2)),
    )
    const divisor = f32x4.add(f32x4.sqrt(f32x4.mul(second, f32x4.splat(correction))), f32x4.splat(epsilon))
    v128.store(m, first)
    v128.store(v, second)
    v128.store(p, f32x4.sub(v128.load(p), f32x4.div(f32x4.mul(first, f32x4.splat(rate)), divisor)))
  }
}
