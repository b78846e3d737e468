import { maskedProductBlock, productBlock } from '../dense'
import { fma, pad4 } from '../math'
import { pointer, word } from '../program'
import { addOuter, addSums, transposeBlock } from './outer'
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
  OUTPUTS,
  PERMUTATION,
  ROTATION,
  ROWS,
  SPLIT,
  TRANSPOSED,
  WEIGHTS,
} from './program'
import {
  blocks,
  contextBytes,
  contextGradients,
  contextWidth,
  dim,
  layerBytes,
  layerGradient,
  present,
  spareGradient,
  spareLayerGradient,
  stateBytes,
  stateGradient,
  tape,
  transposedGradient,
} from './tile'

/**
 * Takes the gradient of the loss in an operation's output, at `dz`, back to its input, whose state is at `x`, and adds
 * to the gradients of its parameters, `delta` bytes from the parameters. Returns where the input's gradient lies.
 */
export function backward(op: usize, x: usize, dz: usize, rows: i32, delta: usize): usize {
  const kind = word(op)
  if (kind == COUPLING) {
    backCouple(op, x, dz, delta)
    return dz
  }
  if (kind == ACTNORM) {
    backNormalize(op, x, dz, rows, delta)
    return dz
  }
  const dx = dz == stateGradient ? spareGradient : stateGradient
  if (kind == FACTOR) {
    const dim4 = pad4(dim)
    for (let b: usize = 0; b < <usize>blocks; b++)
      transposeBlock(dz + b * stateBytes, dim4, transposedGradient + b * stateBytes)
    addOuter(pointer(op + 8) + delta, transposedGradient, x, stateBytes, dim4, dim4, blocks)
  }
  for (let b: usize = 0; b < <usize>blocks; b++) {
    const from = dz + b * stateBytes
    const to = dx + b * stateBytes
    if (kind == PERMUTATION) backPermute(pointer(op + 8), from, to)
    else if (kind == ROTATION || kind == FACTOR) productBlock(pointer(op + 12), from, to, pad4(dim), dim)
    else unreachable()
  }
  return dx
}

function backPermute(source: usize, dz: usize, dx: usize): void {
  for (let d = 0; d < dim; d++, source += 4, dz += 32) memory.copy(dx + (<usize>word(source) << 5), dz, 32)
}

function backNormalize(op: usize, x: usize, dz: usize, rows: i32, delta: usize): void {
  const logScale = pointer(op + 8) + delta
  const bias = pointer(op + 12) + delta
  const scale = pointer(op + 16)
  for (let d: usize = 0; d < <usize>dim; d++) {
    const a = v128.load32_splat(scale + (d << 2))
    let sum = f32x4.splat(0)
    let product = f32x4.splat(0)
    for (let b: usize = 0; b < <usize>blocks; b++) {
      const at = b * stateBytes + (d << 5)
      for (let half: usize = 0; half < 32; half += 16) {
        const g = v128.load(dz + at + half)
        sum = f32x4.add(sum, g)
        product = fma(g, v128.load(x + at + half), product)
        v128.store(dz + at + half, f32x4.mul(g, a))
      }
    }
    const inLogScale = logScale + (d << 2)
    const inBias = bias + (d << 2)
    const gain = load<f32>(scale + (d << 2)) * lanesSum(product)
    store<f32>(inLogScale, load<f32>(inLogScale) + gain - <f32>rows)
    store<f32>(inBias, load<f32>(inBias) + lanesSum(sum))
  }
}

// @ts-ignore: decorator
@inline
function lanesSum(v: v128): f32 {
  return (
    f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3))
  )
}

function backCouple(op: usize, x: usize, dz: usize, delta: usize): void {
  const activations = tape + pointer(op + ACTIVATIONS)
  const activationBytes = pointer(op + ACTIVATION_BYTES)
  const layers = word(op + LAYERS)
  const split = word(op + SPLIT)
  let layer = op + FIRST_LAYER + <usize>(layers - 1) * LAYER_BYTES
  for (let b: usize = 0; b < <usize>blocks; b++)
    backTransform(
      op,
      activations + b * activationBytes + pointer(layer + ROWS),
      x + b * stateBytes,
      dz + b * stateBytes,
      layerGradient + b * layerBytes,
      present + (b << 5),
    )
  let dy = layerGradient
  for (let i = layers - 1; i >= 0; i--, layer -= LAYER_BYTES) {
    const inputs = word(layer + INPUTS)
    const outputs = pad4(word(layer + OUTPUTS))
    const input: usize = i == 0 ? 0 : pointer(layer - LAYER_BYTES + ROWS)
    const dx = dy == layerGradient ? spareLayerGradient : layerGradient
    for (let b: usize = 0; b < <usize>blocks; b++) {
      const from = dy + b * layerBytes
      const to = dx + b * layerBytes
      transposeBlock(from, outputs, transposedGradient + b * (<usize>outputs << 5))
      if (i == 0) productBlock(pointer(layer + TRANSPOSED), from, to, outputs, inputs)
      else
        maskedProductBlock(
          pointer(layer + TRANSPOSED),
          from,
          to,
          outputs,
          inputs,
          activations + b * activationBytes + input,
        )
    }
    addSums(pointer(layer + BIAS) + delta, transposedGradient, outputs, blocks << 3)
    addOuter(
      pointer(layer + WEIGHTS) + delta,
      transposedGradient,
      activations + input,
      activationBytes,
      outputs,
      inputs,
      blocks,
    )
    dy = dx
  }
  for (let b: usize = 0; b < <usize>blocks; b++) {
    const from = dy + b * layerBytes
    addRows(dz + b * stateBytes, from, split)
    addRows(contextGradients + b * contextBytes, from + (<usize>split << 5), contextWidth)
  }
}

/** From the moved dimensions' gradient to that of the conditioner's outputs, the filling's rows zero. */
function backTransform(op: usize, logScales: usize, x: usize, dz: usize, dq: usize, here: usize): void {
  const split = <usize>word(op + SPLIT) << 5
  const bytes = (<usize>dim << 5) - split
  const clamp = load<f32>(op + MAX_LOG_SCALE)
  const slope = f32x4.splat(-1 / (clamp * clamp))
  const one = f32x4.splat(1)
  for (let half: usize = 0; half < 32; half += 16) {
    const counted = v128.load(here + half)
    for (let at = half; at < bytes; at += 32) {
      const g = v128.load(dz + split + at)
      const s = v128.load(logScales + at)
      const moved = f32x4.mul(g, v128.load(logScales + bytes + at))
      const ds = f32x4.sub(f32x4.mul(moved, v128.load(x + split + at)), counted)
      v128.store(dq + at, f32x4.mul(ds, fma(f32x4.mul(s, slope), s, one)))
      v128.store(dq + bytes + at, g)
      v128.store(dz + split + at, moved)
    }
  }
  memory.fill(dq + 2 * bytes, 0, (<usize>pad4(<i32>(bytes >> 4)) << 5) - 2 * bytes)
}

function addRows(to: usize, from: usize, rows: i32): void {
  for (let r = 0; r < rows; r++, to += 32, from += 32) {
    v128.store(to, f32x4.add(v128.load(to), v128.load(from)))
    v128.store(to, f32x4.add(v128.load(to, 16), v128.load(from, 16)), 16)
  }
}
