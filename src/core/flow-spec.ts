/**
 * A flow as data. `bijectors` stand in the order in which a data vector meets them on its way to the latent
 * (the inverse direction, x → z, the one that scores and trains).
 */
export interface FlowSpec {
  readonly dim: number
  readonly context: ContextSpec
  readonly base: BaseSpec
  readonly bijectors: readonly BijectorSpec[]
}

/**
 * What conditions every coupling. A context row holds `numeric` floats, then one category code per embedding
 * (stored as a float, exact to 2^24); a coupling sees the floats and the looked-up embedding rows, concatenated:
 * `numeric + Σ width` values. Code c of embedding e reads row c of the trainable table `context.embedding.<e>`,
 * shape [levels, width]. Codes outside [0, levels) are the caller's error.
 */
export interface ContextSpec {
  readonly numeric: number
  readonly embeddings: readonly EmbeddingSpec[]
}
export interface EmbeddingSpec {
  readonly levels: number
  readonly width: number
}
export const NO_CONTEXT: ContextSpec = { numeric: 0, embeddings: [] }

export interface BaseSpec {
  readonly kind: 'standard-normal'
}

export type BijectorSpec = ActNormSpec | PermutationSpec | RotationSpec | LuLinearSpec | AffineCouplingSpec

/** z_d = x_d · exp(log_scale_d) + bias_d. Tensors: log_scale [dim], bias [dim], both trainable. Glow §3.1. */
export interface ActNormSpec {
  readonly kind: 'actnorm'
}
/** z_d = x[order[d]]. No tensors. */
export interface PermutationSpec {
  readonly kind: 'permutation'
  readonly order: readonly number[]
}
/** z = Q x with a constant orthogonal Q [dim, dim], drawn when the weights are made. Tensor: matrix, not trainable. */
export interface RotationSpec {
  readonly kind: 'rotation'
}
/**
 * z = W x with W = P L (U + diag(sign · exp(log_diagonal))): L unit lower, U strictly upper. Glow §3.2.
 * Tensors: lower [dim, dim] and upper [dim, dim] (only their strict triangles are read), log_diagonal [dim],
 * trainable; permutation [dim] (row r of P L … is row permutation[r]) and sign [dim], constant.
 */
export interface LuLinearSpec {
  readonly kind: 'lu-linear'
}
/**
 * The first `split` dimensions pass unchanged; with q = conditioner([x_<split, context]), [rows, 2 · (dim − split)],
 * s = maxLogScale · tanh(q_<dim−split / maxLogScale) and t = q_≥dim−split:  z_≥split = x_≥split · exp(s) + t.
 * Real NVP §3.2; the soft clamp keeps |log-det| ≤ (dim − split) · maxLogScale.
 * The conditioner is a ReLU perceptron. Tensors, layer i = 0 … hidden.length: `weight.<i>` [out, in] (row-major),
 * `bias.<i>` [out]; the last layer's out is 2 · (dim − split), first the log-scales, then the shifts. With no
 * inputs at all (split 0, no context) the first weight is [out, 0].
 */
export interface AffineCouplingSpec {
  readonly kind: 'affine-coupling'
  readonly split: number
  readonly hidden: readonly number[]
  readonly maxLogScale: number
}

/** Named float32 tensors: `<bijector index>.<tensor>`, for example `3.weight.0`, and `context.embedding.<e>`. */
export type FlowWeights = ReadonlyMap<string, WeightTensor>
export interface WeightTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** Widths of a coupling's conditioner, from its inputs to its outputs. */
export function conditionerWidths(spec: AffineCouplingSpec, dim: number, context: number): number[] {
  return [spec.split + context, ...spec.hidden, 2 * (dim - spec.split)]
}

/** Width of what a coupling sees of the context. */
export function contextWidth(context: ContextSpec): number {
  return context.embeddings.reduce((sum, e) => sum + e.width, context.numeric)
}
/** Width of a context row as it is stored: floats, then codes. */
export function contextColumns(context: ContextSpec): number {
  return context.numeric + context.embeddings.length
}

/** Rows of float32, row-major. */
export interface Matrix {
  readonly rows: number
  readonly columns: number
  readonly data: Float32Array
}
