import { loadBlock } from '../block'
import { loadContext } from '../context'
import { pad4 } from '../math'
import { CODE, CONTEXT_NUMERIC, CONTEXT_WIDTH, DIM, EMBEDDINGS, WIDTH, pointer, word } from '../program'
import { TAPE_BYTES } from './program'

/** 64 records at a time: enough to sum a gradient over, few enough for their tape to stay in the second-level cache. */
export const TILE_BLOCKS: i32 = 8

// Where the tile that is being worked on keeps its parts. Arrays are [block][feature][8] unless said.
export let dim: i32
export let contextWidth: i32
export let blocks: i32
export let stateBytes: usize
export let contextBytes: usize
/** Bytes of a block of the widest layer. */
export let layerBytes: usize
export let tape: usize
/** [block][8]: 1 for a record, 0 for the filling of a last block. */
export let present: usize
export let logDets: usize
export let contexts: usize
export let contextGradients: usize
export let stateGradient: usize
export let spareGradient: usize
export let layerGradient: usize
export let spareLayerGradient: usize
/** [record][outputs] of one layer. */
export let transposedGradient: usize

/** Points the parts into `scratch` and returns the first byte past them. */
export function layOut(program: usize, scratch: usize): usize {
  const tileBlocks = <usize>TILE_BLOCKS
  dim = word(program + DIM)
  contextWidth = word(program + CONTEXT_WIDTH)
  stateBytes = <usize>pad4(dim) << 5
  contextBytes = <usize>contextWidth << 5
  layerBytes = <usize>max(word(program + WIDTH), pad4(dim)) << 5
  tape = scratch
  present = tape + pointer(pointer(program + CODE) + TAPE_BYTES)
  logDets = present + (tileBlocks << 5)
  contexts = logDets + (tileBlocks << 5)
  contextGradients = contexts + tileBlocks * contextBytes
  stateGradient = contextGradients + tileBlocks * contextBytes
  spareGradient = stateGradient + tileBlocks * stateBytes
  layerGradient = spareGradient + tileBlocks * stateBytes
  spareLayerGradient = layerGradient + tileBlocks * layerBytes
  transposedGradient = spareLayerGradient + tileBlocks * layerBytes
  return transposedGradient + tileBlocks * layerBytes
}

/** Takes up to 64 rows of x and context; a last block is filled with copies of its last row, marked absent. */
export function loadTile(program: usize, x: usize, context: usize, rows: i32): void {
  const columns = word(program + CONTEXT_NUMERIC) + word(program + EMBEDDINGS)
  blocks = (rows + 7) >> 3
  for (let b = 0; b < blocks; b++) {
    const first = b << 3
    const taken = min(rows - first, 8)
    loadBlock(x + (<usize>(first * dim) << 2), dim, taken, tape + <usize>b * stateBytes)
    for (let r = 0; r < 8; r++) {
      const row = context + (<usize>((first + min(r, taken - 1)) * columns) << 2)
      const poison = loadContext(program, row, contexts + <usize>b * contextBytes + (<usize>r << 2), 32)
      const at = <usize>(first + r) << 2
      store<f32>(logDets + at, poison)
      store<f32>(present + at, r < taken ? 1 : 0)
    }
  }
}
