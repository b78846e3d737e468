import { type ContextSpec, contextColumns } from '../core/flow-spec.ts'
import { type Anchor, ESTIMATES } from './anchors/anchor.ts'
import { BULK, logSlope, tame, untame } from './columns/scaling.ts'
import type { DiscreteLayout, EncodedBatch, EncodedLayout } from './encoded.ts'
import type { Moments, ViewDim, ViewSpec } from './view-spec.ts'

/** A flow's input. `context` rows are laid out as ContextSpec says. */
export interface ViewInput {
  /** [rows, dim], no NaN. */
  readonly x: Float32Array
  /** [rows, contextColumns(view.context)]. */
  readonly context: Float32Array
  /**
   * [rows], nats: add it to the flow's log p. −log φ(0) for each filled cell, which the flow counted as log φ(0), and
   * log|dT/du| of each anchored one.
   */
  readonly correction: Float64Array
  /** [rows, dim]: 1 where the record has no value: training draws N(0, 1) there, scoring uses 0. Absent if none. */
  readonly fill?: Uint8Array
}

/** −log φ(0) of the standard normal density φ. */
const FILLED = 0.5 * Math.log(2 * Math.PI)
const GAUSSIAN = 0.05
const WIDEST = 8
/** Standard units beyond it tell nothing more, and float32 has to square them. */
const FARTHEST = 1e4
/** Logarithms come as multiples of this, of the size of the other conditions. */
export const LOG_UNIT = 3

/**
 * The exact mixed density: p(continuous parts | all codes, context). With logDiscrete, logJacobian and logUnits it
 * gives the record's log probability. No dimension is left where everything is discrete: log p is 0 then.
 */
export function exactView(layout: EncodedLayout, anchors: readonly Anchor[] = []): View {
  const dims = layout.numeric.flatMap(({ lowCardinality, halfStep }, column): ViewDim[] => {
    if (lowCardinality) return []
    const dim = { from: 'numeric', column, gaussian: GAUSSIAN, uniform: halfStep } as const
    const anchor = anchors.findIndex((one) => one.column === column)
    return [anchor < 0 ? dim : { ...dim, uniform: Math.min(0.5, halfStep / anchors[anchor].typical), anchor }]
  })
  return new View({ name: 'exact', dims, ...conditions(layout, anchors, () => true) }, anchors)
}

/**
 * Every number as a number, atoms and low cardinality included, conditioned on categories, booleans and context.
 * Numbers with atoms are left where they are, so that a heap stays a heap. Anchors that read a number take no part: it
 * is modelled here, and a flow told of it would find it certain.
 */
export function jointView(layout: EncodedLayout, anchors: readonly Anchor[] = []): View {
  const numbers = new Set(layout.numeric.map(({ field }) => field))
  const heaped = new Set(
    layout.discrete.flatMap(({ role, levels, field }) => (role === 'state' && levels > 3 ? [field] : [])),
  )
  const apart = ({ by }: Anchor) => by.every((k) => !numbers.has(layout.discrete[k].field))
  const dims = layout.numeric.map(({ field }, column): ViewDim => {
    const dim = { from: 'joint', column, gaussian: GAUSSIAN, uniform: 0 } as const
    const anchor = heaped.has(field) ? -1 : anchors.findIndex((one) => one.column === column && apart(one))
    return anchor < 0 ? dim : { ...dim, anchor }
  })
  const conditioned = conditions(layout, anchors, ({ field }) => !numbers.has(field), apart)
  return new View({ name: 'joint', dims, ...conditioned }, anchors)
}

/**
 * The joint view without taming, every number that is not anchored in standard deviations of its column in `learned`.
 */
export function standardView(
  layout: EncodedLayout,
  learned: EncodedBatch,
  anchors: readonly Anchor[] = [],
): View {
  const { spec } = jointView(layout, anchors)
  const dims = spec.dims.map(
    (dim): ViewDim => (dim.anchor === undefined ? { ...dim, standard: momentsOf(learned, dim.column) } : dim),
  )
  return new View({ ...spec, name: 'standard', dims }, anchors)
}

function momentsOf({ rows, joint }: EncodedBatch, column: number): Moments {
  const width = rows === 0 ? 0 : joint.length / rows
  const values = Array.from({ length: rows }, (_, i) => joint[i * width + column])
    .filter((u) => !Number.isNaN(u))
    .map(untamed)
  const average = (of: (v: number) => number) =>
    values.reduce((sum, v) => sum + of(v), 0) / Math.max(1, values.length)
  const mean = average((v) => v)
  return { mean, deviation: Math.sqrt(average((v) => (v - mean) ** 2)) || 1 }
}

function untamed(u: number): number {
  return Math.max(-FARTHEST, Math.min(FARTHEST, untame(u, { centre: 0, scale: 1 })))
}

/** Every `stride`-th value from `first` on, a tamed coordinate, in standard deviations; NaN stays NaN. */
function standardise(x: Float32Array, first: number, stride: number, { mean, deviation }: Moments): void {
  for (let at = first; at < x.length; at += stride) {
    const u = x[at]
    const z = ((u >= -BULK && u <= BULK ? u : untamed(u)) - mean) / deviation
    x[at] = z > FARTHEST ? FARTHEST : z < -FARTHEST ? -FARTHEST : z
  }
}

function conditions(
  layout: EncodedLayout,
  anchors: readonly Anchor[],
  chosen: (column: DiscreteLayout) => boolean,
  told: (anchor: Anchor) => boolean = () => true,
): Pick<ViewSpec, 'contextFloats' | 'binary' | 'embedded' | 'anchors'> {
  const columns = [...layout.discrete.entries()].filter(([, column]) => chosen(column))
  return {
    contextFloats: layout.context.length,
    binary: columns.filter(([, { levels }]) => levels === 3).map(([k]) => k),
    anchors: [...anchors.keys()].filter((a) => told(anchors[a])),
    embedded: columns
      .filter(([, { levels }]) => levels > 3)
      .map(([column, { levels, pooledFrom }]) => {
        const pooled = pooledFrom < levels
        const rows = pooled ? pooledFrom + 1 : levels
        const width = Math.min(WIDEST, Math.ceil(Math.log2(rows)) + 1)
        return { column, levels: rows, width, ...(pooled && { pooledFrom }) }
      }),
  }
}

/** Builds a flow's inputs from encoded batches, as its spec says. */
export class View {
  readonly spec: ViewSpec
  readonly dim: number
  readonly context: ContextSpec
  /** Training noise per dimension. */
  readonly noise: { readonly gaussian: readonly number[]; readonly uniform: readonly number[] }
  readonly #anchors: readonly Anchor[]

  /** `anchors`: those of the encoder, in order. */
  constructor(spec: ViewSpec, anchors: readonly Anchor[] = []) {
    this.spec = spec
    this.#anchors = anchors
    this.dim = spec.dims.length
    this.context = {
      numeric: spec.contextFloats + spec.binary.length + ESTIMATES * spec.anchors.length,
      embeddings: spec.embedded.map(({ levels, width }) => ({ levels, width })),
    }
    this.noise = {
      gaussian: spec.dims.map(({ gaussian }) => gaussian),
      uniform: spec.dims.map(({ uniform }) => uniform),
    }
  }

  /**
   * Inputs of the named rows, or of all rows. `fitted`: the encoder was fitted on these rows, so that each is anchored
   * by all but itself.
   */
  input(encoded: EncodedBatch, rows?: ArrayLike<number>, fitted = false): ViewInput {
    const n = rows?.length ?? encoded.rows
    const x = this.#values(encoded, n, rows)
    const context = this.#context(encoded, n, rows)
    const correction = new Float64Array(n)
    if (this.spec.anchors.length > 0 && n > 0) this.#anchor(encoded, rows, fitted, { x, context, correction })
    let fill: Uint8Array | undefined
    for (let at = 0; at < x.length; at++) {
      if (!Number.isNaN(x[at])) continue
      fill ??= new Uint8Array(x.length)
      fill[at] = 1
      x[at] = 0
      correction[Math.floor(at / this.dim)] += FILLED
    }
    return { x, context, correction, ...(fill && { fill }) }
  }

  /** Puts the estimates into the context and the anchored dimensions into their units. */
  #anchor(
    encoded: EncodedBatch,
    rows: ArrayLike<number> | undefined,
    fitted: boolean,
    { x, context, correction }: Pick<ViewInput, 'x' | 'context' | 'correction'>,
  ): void {
    const { contextFloats, binary, anchors, dims } = this.spec
    const columns = contextColumns(this.context)
    const [width, across] = [encoded.codes.length / encoded.rows, encoded.numeric.length / encoded.rows]
    const scaling = { centre: 0, scale: 1 }
    const estimate = new Float64Array(ESTIMATES)
    for (const [a, index] of anchors.entries()) {
      const anchor = this.#anchors[index]
      const d = dims.findIndex((dim) => dim.anchor === index)
      for (let i = 0; i < correction.length; i++) {
        const row = rows === undefined ? i : rows[i]
        const u = encoded.numeric[row * across + anchor.column]
        if (fitted && !Number.isNaN(u)) anchor.estimateWithout(encoded.codes, row * width, u, estimate)
        else anchor.estimate(encoded.codes, row * width, estimate)
        const at = i * columns + contextFloats + binary.length + a * ESTIMATES
        context[at] = estimate[0]
        context[at + 1] = estimate[1] / LOG_UNIT
        context[at + 2] = estimate[2] / LOG_UNIT
        if (d < 0 || Number.isNaN(x[i * this.dim + d])) continue
        scaling.centre = estimate[0]
        scaling.scale = Math.exp(estimate[1])
        const own = tame(x[i * this.dim + d], scaling)
        x[i * this.dim + d] = own
        correction[i] += logSlope(own) - estimate[1]
      }
    }
  }

  #values(encoded: EncodedBatch, n: number, rows: ArrayLike<number> | undefined): Float32Array {
    const x = new Float32Array(n * this.dim)
    const width = encoded.rows === 0 ? 0 : encoded.numeric.length / encoded.rows
    const { dims } = this.spec
    const whole =
      dims.length === width && dims.every(({ from, column }, d) => from === dims[0].from && column === d)
    if (whole && rows === undefined && dims.length > 0) x.set(encoded[dims[0].from])
    else
      for (const [d, { from, column }] of dims.entries()) {
        const source = encoded[from]
        for (let i = 0, at = d; i < n; i++, at += this.dim)
          x[at] = source[(rows === undefined ? i : rows[i]) * width + column]
      }
    for (const [d, { standard }] of dims.entries())
      if (standard !== undefined) standardise(x, d, this.dim, standard)
    return x
  }

  #context(encoded: EncodedBatch, n: number, rows: ArrayLike<number> | undefined): Float32Array {
    const { contextFloats, binary, anchors, embedded } = this.spec
    const columns = contextColumns(this.context)
    const out = new Float32Array(n * columns)
    if (columns === 0 || encoded.rows === 0) return out
    const width = encoded.codes.length / encoded.rows
    for (let i = 0, at = 0; i < n; i++) {
      const row = rows === undefined ? i : rows[i]
      for (let k = 0; k < contextFloats; k++) out[at++] = encoded.context[row * contextFloats + k]
      for (const k of binary) {
        const code = encoded.codes[row * width + k]
        out[at++] = code === 0 ? 0 : 2 * code - 3
      }
      at += ESTIMATES * anchors.length
      for (const { column, pooledFrom } of embedded) {
        const code = encoded.codes[row * width + column]
        out[at++] = pooledFrom !== undefined && (code === 0 || code > pooledFrom) ? pooledFrom : code
      }
    }
    return out
  }
}
