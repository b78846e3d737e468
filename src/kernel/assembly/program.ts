/** Word offsets of a compiled flow (int32 words; src/kernel/program.ts writes it). Addresses are byte addresses. */
export const DIM: usize = 0
export const CONTEXT_NUMERIC: usize = 4
export const EMBEDDINGS: usize = 8
export const CONTEXT_WIDTH: usize = 12
/** Widest activation of any coupling, a multiple of 4. */
export const WIDTH: usize = 16
export const CODE: usize = 20
/** levels, width and table address of each embedding. */
export const EMBEDDING_TABLE: usize = 24

export const END: i32 = 0
/** weights, bias, weights in stripes: state ← A · state + b. */
export const DENSE: i32 = 1
/** source feature numbers, scales, biases: state_d ← state[source_d] · scale_d + bias_d. */
export const SELECT: i32 = 2
/** split, maxLogScale (float32 bits), layers, then of each: inputs, outputs, weights, bias, weights in stripes. */
export const COUPLING: i32 = 3

export const DENSE_BYTES: usize = 16
export const SELECT_BYTES: usize = 16
export const COUPLING_BYTES: usize = 16
export const LAYER_BYTES: usize = 20

// @ts-ignore: decorator
@inline
export function word(address: usize): i32 {
  return load<i32>(address)
}
// @ts-ignore: decorator
@inline
export function pointer(address: usize): usize {
  return <usize>load<u32>(address)
}
