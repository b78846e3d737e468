/**
 * Word offsets of a flow compiled for training (src/kernel/training-program.ts writes it). The header is that of a
 * scoring program; its code address leads to: tape bytes, number of operations, then their addresses, in the order
 * from data to latent. Every operation begins with its kind and the tape offset of the state that it leaves.
 */
export const TAPE_BYTES: usize = 0
export const OPERATIONS: usize = 4
export const FIRST_OPERATION: usize = 8

export const OUT: usize = 4

/** weights, their transpose: state ← A · state with a constant A. */
export const ROTATION: i32 = 1
/** source feature numbers. */
export const PERMUTATION: i32 = 2
export const COUPLING: i32 = 3
/** log-scale, bias, scale. */
export const ACTNORM: i32 = 4
/** weights, their transpose, mask of what is trained, log-diagonal or 0, sign: a triangular factor of an LU layer. */
export const FACTOR: i32 = 5

export const SPLIT: usize = 8
export const MAX_LOG_SCALE: usize = 12
export const LAYERS: usize = 16
/** Tape offset of the coupling's activations, and their bytes per block. */
export const ACTIVATIONS: usize = 20
export const ACTIVATION_BYTES: usize = 24
export const FIRST_LAYER: usize = 28
/** Per layer: inputs (a multiple of 4), outputs, weights, bias, transposed weights, offset of its output in a block. */
export const LAYER_BYTES: usize = 24
export const INPUTS: usize = 0
export const OUTPUTS: usize = 4
export const WEIGHTS: usize = 8
export const BIAS: usize = 12
export const TRANSPOSED: usize = 16
export const ROWS: usize = 20
