/** Which part of an encoded batch a flow models and on what it is conditioned. Plain JSON. */
export interface ViewSpec {
  readonly name: string
  /** One flow dimension each, in order. */
  readonly dims: readonly ViewDim[]
  /** Columns of `EncodedBatch.context`, all of them conditioned on. */
  readonly contextFloats: number
  /** Discrete columns of two levels: conditioned on as −1 and 1, 0 for an unseen level. */
  readonly binary: readonly number[]
  /** Discrete columns conditioned on through a learned embedding. */
  readonly embedded: readonly ViewEmbedding[]
  /** Anchors of the encoder whose estimates are conditioned on. */
  readonly anchors: readonly number[]
}
export interface ViewDim {
  /** `numeric`: the continuous part alone; `joint`: atoms and levels too, as numbers. */
  readonly from: 'numeric' | 'joint'
  readonly column: number
  /** Training noise: standard deviation of a normal, half-width of a uniform; encoded units. */
  readonly gaussian: number
  readonly uniform: number
  /** x = (v − mean) / deviation of the untamed robust units v, within ±10⁴; absent: x = u. */
  readonly standard?: Moments
  /** Modelled as T((u − mean) / scale) by the estimates of this anchor of the encoder. */
  readonly anchor?: number
}
export interface Moments {
  readonly mean: number
  readonly deviation: number
}
export interface ViewEmbedding {
  readonly column: number
  /** Codes from here on, and code 0, share the row `pooledFrom`; undefined: each code has its own. */
  readonly pooledFrom?: number
  readonly levels: number
  readonly width: number
}
