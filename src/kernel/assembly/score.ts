import { couplingOp, denseOp, loadBlock, logProbOp, selectOp, storeBlock } from './block'
import { loadContext } from './context'
import { pad4 } from './math'
import {
  CODE,
  CONTEXT_NUMERIC,
  CONTEXT_WIDTH,
  COUPLING,
  COUPLING_BYTES,
  DENSE,
  DENSE_BYTES,
  DIM,
  EMBEDDINGS,
  END,
  LAYER_BYTES,
  SELECT,
  SELECT_BYTES,
  WIDTH,
  pointer,
  word,
} from './program'
import { scoreRow } from './row'

/** Blocks of 8 records that meet one layer before the next: its weights stay in the first-level cache. */
const TILE_BLOCKS: i32 = 8
/** Up to this many records are faster one by one, outputs in lanes, than as a block. */
const FEW: i32 = 3

// @ts-ignore: decorator
@inline
function rowBytes(dim: i32): usize {
  return (<usize>pad4(dim) << 2) + 16
}

/** Bytes of scratch that `score` needs for this program. */
export function scratchBytes(program: usize): usize {
  const dim = <usize>pad4(word(program + DIM)) + 4
  const context = <usize>word(program + CONTEXT_WIDTH)
  const width = <usize>word(program + WIDTH)
  return ((2 * dim + context + 1) * <usize>TILE_BLOCKS + 3 * width + 4) << 5
}

/**
 * log p of `rows` records: x [rows][dim], context [rows][context columns], out [rows] float64; `latents`
 * [rows][dim] or 0. `constant` is the log-det that depends on no record, plus the base's −½ dim · log 2π.
 */
export function score(
  program: usize,
  x: usize,
  context: usize,
  rows: i32,
  constant: f64,
  out: usize,
  latents: usize,
  scratch: usize,
): void {
  const dim = word(program + DIM)
  const columns = word(program + CONTEXT_NUMERIC) + word(program + EMBEDDINGS)
  const xBytes = <usize>dim << 2
  const contextBytes = <usize>columns << 2
  while (rows > 0) {
    if (rows <= FEW) {
      scoreOne(program, x, context, constant, out, latents, scratch)
      rows -= 1
      x += xBytes
      context += contextBytes
      out += 8
      if (latents) latents += xBytes
    } else {
      let taken = min(rows, TILE_BLOCKS * 8)
      if (taken < TILE_BLOCKS * 8 && (taken & 7) <= FEW) taken -= taken & 7
      scoreTile(program, x, context, taken, constant, out, latents, scratch)
      rows -= taken
      x += <usize>taken * xBytes
      context += <usize>taken * contextBytes
      out += <usize>taken << 3
      if (latents) latents += <usize>taken * xBytes
    }
  }
}

function scoreOne(
  program: usize,
  x: usize,
  context: usize,
  constant: f64,
  out: usize,
  latents: usize,
  scratch: usize,
): void {
  const dim = word(program + DIM)
  const contextWidth = word(program + CONTEXT_WIDTH)
  const spare = scratch + rowBytes(dim)
  const contextRow = spare + rowBytes(dim)
  const work = contextRow + (<usize>pad4(contextWidth) << 2)
  memory.copy(scratch, x, <usize>dim << 2)
  const poison = loadContext(program, context, contextRow, 4)
  const logProb = scoreRow(
    pointer(program + CODE),
    dim,
    scratch,
    spare,
    contextRow,
    contextWidth,
    poison,
    constant,
    work,
    word(program + WIDTH),
    latents,
  )
  store<f64>(out, logProb)
}

function scoreTile(
  program: usize,
  x: usize,
  context: usize,
  rows: i32,
  constant: f64,
  out: usize,
  latents: usize,
  scratch: usize,
): void {
  const dim = word(program + DIM)
  const width = word(program + WIDTH)
  const contextWidth = word(program + CONTEXT_WIDTH)
  const columns = word(program + CONTEXT_NUMERIC) + word(program + EMBEDDINGS)
  const blocks = (rows + 7) >> 3
  const stateBytes = <usize>pad4(dim) << 5
  const contextBytes = <usize>contextWidth << 5
  let state = scratch
  let other = state + stateBytes * <usize>TILE_BLOCKS
  const contexts = other + stateBytes * <usize>TILE_BLOCKS
  const logDets = contexts + contextBytes * <usize>TILE_BLOCKS
  const work = logDets + ((<usize>TILE_BLOCKS) << 5)

  for (let b = 0; b < blocks; b++) {
    const first = b << 3
    const present = min(rows - first, 8)
    loadBlock(x + (<usize>(first * dim) << 2), dim, present, state + <usize>b * stateBytes)
    for (let r = 0; r < 8; r++) {
      const row = context + (<usize>((first + min(r, present - 1)) * columns) << 2)
      const poison = loadContext(program, row, contexts + <usize>b * contextBytes + (<usize>r << 2), 32)
      store<f32>(logDets + (<usize>(first + r) << 2), poison)
    }
  }
  let op = pointer(program + CODE)
  for (;;) {
    const kind = word(op)
    if (kind == END) break
    if (kind == COUPLING) {
      for (let b: usize = 0; b < <usize>blocks; b++) {
        couplingOp(
          op,
          dim,
          state + b * stateBytes,
          contexts + b * contextBytes,
          contextWidth,
          logDets + (b << 5),
          work,
          width,
        )
      }
      op += COUPLING_BYTES + <usize>word(op + 12) * LAYER_BYTES
      continue
    }
    if (kind == DENSE) {
      for (let b: usize = 0; b < <usize>blocks; b++) denseOp(op, dim, state + b * stateBytes, other + b * stateBytes)
      op += DENSE_BYTES
    } else if (kind == SELECT) {
      for (let b: usize = 0; b < <usize>blocks; b++) selectOp(op, dim, state + b * stateBytes, other + b * stateBytes)
      op += SELECT_BYTES
    } else unreachable()
    const swap = state
    state = other
    other = swap
  }
  for (let b = 0; b < blocks; b++) {
    const first = b << 3
    const present = min(rows - first, 8)
    const block = state + <usize>b * stateBytes
    if (latents) storeBlock(block, dim, present, latents + (<usize>(first * dim) << 2))
    logProbOp(block, dim, logDets + (<usize>b << 5), present, constant, out + (<usize>first << 3))
  }
}
