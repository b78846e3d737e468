import { logProbOp, storeBlock } from '../block'
import { CODE, CONTEXT_NUMERIC, EMBEDDINGS, EMBEDDING_TABLE, pointer, word } from '../program'
import { backward } from './backward'
import { forward } from './forward'
import { FIRST_OPERATION, OPERATIONS, OUT } from './program'
import {
  blocks,
  contextBytes,
  contextGradients,
  dim,
  layOut,
  loadTile,
  logDets,
  present,
  stateBytes,
  stateGradient,
  tape,
  TILE_BLOCKS,
} from './tile'

/** Bytes of scratch, zeroed once, that the functions below need for this program. */
export function trainingScratchBytes(program: usize): usize {
  return layOut(program, 0)
}

// @ts-ignore: decorator
@inline
function operation(program: usize, i: i32): usize {
  return pointer(pointer(program + CODE) + FIRST_OPERATION + (<usize>i << 2))
}
// @ts-ignore: decorator
@inline
function contextColumns(program: usize): usize {
  return <usize>(word(program + CONTEXT_NUMERIC) + word(program + EMBEDDINGS)) << 2
}
// @ts-ignore: decorator
@inline
function operationCount(program: usize): i32 {
  return word(pointer(program + CODE) + OPERATIONS)
}

/**
 * Adds the gradient of Σ −log p over the rows to the floats `delta` bytes after each parameter. Returns the sum of
 * ½ |z|² − log-det, without the log-dets that depend on no record.
 */
export function gradient(program: usize, x: usize, context: usize, rows: i32, delta: usize, scratch: usize): f64 {
  layOut(program, scratch)
  const count = operationCount(program)
  let loss: f64 = 0
  for (let start = 0; start < rows; start += TILE_BLOCKS * 8) {
    const taken = min(rows - start, TILE_BLOCKS * 8)
    const contextRows = context + <usize>start * contextColumns(program)
    loadTile(program, x + (<usize>(start * dim) << 2), contextRows, taken)
    memory.fill(contextGradients, 0, <usize>TILE_BLOCKS * contextBytes)
    let state = tape
    for (let i = 0; i < count; i++) state = forward(operation(program, i), state)
    loss += startBackward(state)
    let dz = stateGradient
    for (let i = count - 1; i >= 0; i--) {
      const input = i == 0 ? tape : tape + pointer(operation(program, i - 1) + OUT)
      dz = backward(operation(program, i), input, dz, taken, delta)
    }
    addToEmbeddings(program, contextRows, taken, delta)
  }
  return loss
}

/** log p of the rows, nats: `constant` as in `score`. */
export function evaluate(
  program: usize,
  x: usize,
  context: usize,
  rows: i32,
  constant: f64,
  out: usize,
  scratch: usize,
): void {
  layOut(program, scratch)
  const count = operationCount(program)
  for (let start = 0; start < rows; start += TILE_BLOCKS * 8) {
    const taken = min(rows - start, TILE_BLOCKS * 8)
    loadTile(program, x + (<usize>(start * dim) << 2), context + <usize>start * contextColumns(program), taken)
    let state = tape
    for (let i = 0; i < count; i++) state = forward(operation(program, i), state)
    for (let b = 0; b < blocks; b++)
      logProbOp(
        state + <usize>b * stateBytes,
        dim,
        logDets + (<usize>b << 5),
        min(taken - (b << 3), 8),
        constant,
        out + (<usize>(start + (b << 3)) << 3),
      )
  }
}

/** The states [rows][dim] that the operations first … last − 1 make of the states at x. */
export function transform(
  program: usize,
  first: i32,
  last: i32,
  x: usize,
  context: usize,
  rows: i32,
  out: usize,
  scratch: usize,
): void {
  layOut(program, scratch)
  for (let start = 0; start < rows; start += TILE_BLOCKS * 8) {
    const taken = min(rows - start, TILE_BLOCKS * 8)
    loadTile(program, x + (<usize>(start * dim) << 2), context + <usize>start * contextColumns(program), taken)
    let state = tape
    for (let i = first; i < last; i++) state = forward(operation(program, i), state)
    for (let b = 0; b < blocks; b++)
      storeBlock(
        state + <usize>b * stateBytes,
        dim,
        min(taken - (b << 3), 8),
        out + (<usize>((start + (b << 3)) * dim) << 2),
      )
  }
}

/** Writes ∂/∂z = z of the present records and returns the tile's loss. */
function startBackward(state: usize): f64 {
  let loss: f64 = 0
  for (let b: usize = 0; b < <usize>blocks; b++) {
    for (let half: usize = 0; half < 32; half += 16) {
      const counted = v128.load(present + (b << 5) + half)
      let squares = f32x4.splat(0)
      for (let d: usize = 0; d < <usize>dim; d++) {
        const at = b * stateBytes + (d << 5) + half
        const z = v128.load(state + at)
        const g = f32x4.mul(z, counted)
        squares = f32x4.add(squares, f32x4.mul(z, g))
        v128.store(stateGradient + at, g)
      }
      const terms = f32x4.sub(
        f32x4.mul(squares, f32x4.splat(0.5)),
        f32x4.mul(v128.load(logDets + (b << 5) + half), counted),
      )
      loss += <f64>f32x4.extract_lane(terms, 0) + <f64>f32x4.extract_lane(terms, 1)
      loss += <f64>f32x4.extract_lane(terms, 2) + <f64>f32x4.extract_lane(terms, 3)
    }
  }
  return loss
}

function addToEmbeddings(program: usize, context: usize, rows: i32, delta: usize): void {
  const numeric = word(program + CONTEXT_NUMERIC)
  const embeddings = word(program + EMBEDDINGS)
  for (let r = 0; r < rows; r++) {
    let from = contextGradients + <usize>(r >> 3) * contextBytes + (<usize>(r & 7) << 2) + (<usize>numeric << 5)
    let code = context + <usize>r * contextColumns(program) + (<usize>numeric << 2)
    let embedding = program + EMBEDDING_TABLE
    for (let e = 0; e < embeddings; e++, code += 4, embedding += 12) {
      const level = load<f32>(code)
      const width = word(embedding + 4)
      const known = level >= 0 && level < <f32>word(embedding)
      const row: i32 = known ? <i32>level : 0
      let to = pointer(embedding + 8) + delta + (<usize>(row * width) << 2)
      for (let i = 0; i < width; i++, to += 4, from += 32) store<f32>(to, load<f32>(to) + load<f32>(from))
    }
  }
}
