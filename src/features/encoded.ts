import type { Fringe } from './columns/fringe.ts'

/**
 * What the encoder makes of a record batch: unit-free numbers, category codes and context, without NaN or Infinity
 * except where `numeric` says "no continuous part here" by NaN.
 */
export interface EncodedBatch {
  readonly rows: number
  /**
   * [rows, numeric columns], row-major: u = T((x − centre) / scale), the tail-tamed unit-free coordinate.
   * NaN where the record has no continuous part in this column (missing, or on an atom): the discrete part holds it.
   */
  readonly numeric: Float32Array
  /**
   * [rows, numeric columns]: u for atoms too (a number like any other), NaN only where missing. The same array as
   * `numeric` when no column has atoms or is of low cardinality. The joint view models this one.
   */
  readonly joint: Float32Array
  /** [rows, discrete columns]: level of each discrete column; level 0 is "unseen in training". */
  readonly codes: Int32Array
  /** [rows, context columns]: sine and cosine of hour and weekday, and declared context columns. Never modelled. */
  readonly context: Float32Array
  /** [rows], nats: log P(discrete part), changed constants and values missing for the first time included. */
  readonly logDiscrete: Float64Array
  /** [rows], nats: Σ log|dT/dv| over the continuous parts present: encoded density → density of the scaled record. */
  readonly logJacobian: Float64Array
  /**
   * [rows], nats: Σ −log scale (+ log step where quantised) over the continuous parts present: scaled density →
   * density in raw units, or the probability of the value where the column is quantised.
   */
  readonly logUnits: Float64Array
  /** Rows that cannot be scored, with why ("amount: 'abc' is not a number"). Their numbers are filled with 0. */
  readonly unscored: ReadonlyMap<number, readonly string[]>
  /** Scored rows about which a rule has something to say ("currency: was always EUR, is USD"). */
  readonly notes: ReadonlyMap<number, readonly string[]>
}

/** How the encoded columns are to be read; derived from the encoder's JSON state. */
export interface EncodedLayout {
  readonly numeric: readonly NumericLayout[]
  readonly discrete: readonly DiscreteLayout[]
  readonly context: readonly string[]
}
export interface NumericLayout {
  readonly field: string
  /** Half-width of a quantisation step in encoded units (dequantisation noise is uniform in ±this); 0 if continuous. */
  readonly halfStep: number
  /** The column is never continuous in the exact view: all its values are levels of a discrete column. */
  readonly lowCardinality: boolean
  /** Where its outermost training values begin; absent where all its values are levels. */
  readonly fringe?: Fringe
}
export interface DiscreteLayout {
  readonly field: string
  /**
   * `state`: 1 continuous part present, 2 missing, 3 … atoms of a numeric column. `level`: the values themselves,
   * from 1, most frequent first; a value that was missing in training is one of them. `context`: levels too, which
   * condition and are not modelled.
   */
  readonly role: 'state' | 'level' | 'context'
  /** Number of codes, the unseen level 0 included. */
  readonly levels: number
  /** Codes from `pooledFrom` on are too rare to learn an embedding each and share one; equal to `levels` if none is. */
  readonly pooledFrom: number
}

/** One value of a level column; null is the missing value. */
export type Level = string | number | boolean | null
