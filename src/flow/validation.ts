import { SurprisalError } from '../core/errors.ts'
import type { BijectorSpec, ContextSpec, FlowSpec, FlowWeights, WeightTensor } from '../core/flow-spec.ts'
import { flowLayout, sizeOf } from './layout.ts'

/** Bounds that keep a hostile spec from exhausting memory before its weights are looked at. */
export const FLOW_LIMITS = {
  dim: 4096,
  bijectors: 1024,
  hiddenLayers: 64,
  hiddenWidth: 16_384,
  contextNumeric: 16_384,
  embeddings: 1024,
  /** Codes are stored as float32. */
  embeddingLevels: 2 ** 24,
  embeddingWidth: 1024,
  maxLogScale: 16,
  /** Numbers in all tensors together: 512 MiB of float32. */
  numbers: 2 ** 27,
} as const

/** A parsed JSON value as a flow spec. Throws FLOW_SPEC_INVALID, naming the place, the value and the rule. */
export function validateSpec(value: unknown): FlowSpec {
  const spec = object(value, 'flow')
  const dim = count(spec.dim, 'dim', 1, FLOW_LIMITS.dim)
  const context = validateContext(spec.context)
  const base = object(spec.base, 'base')
  if (base.kind !== 'standard-normal') fail('base.kind', base.kind, "must be 'standard-normal'")
  const bijectors = array(spec.bijectors, 'bijectors', FLOW_LIMITS.bijectors).map((b, i) =>
    validateBijector(b, `bijectors[${i}]`, dim),
  )
  const result: FlowSpec = { dim, context, base: { kind: 'standard-normal' }, bijectors }
  const numbers = flowLayout(result).reduce((sum, t) => sum + sizeOf(t.shape), 0)
  if (numbers > FLOW_LIMITS.numbers)
    fail('flow', `${numbers} weights`, `may hold at most ${FLOW_LIMITS.numbers}: use fewer or smaller layers`)
  return result
}

/**
 * Weights that fit a spec: every tensor there, none besides, each of its shape, all numbers finite, constants
 * what they claim to be (signs ±1, permutations, orthogonal rotations). Throws FLOW_SPEC_INVALID.
 */
export function validateWeights(spec: FlowSpec, weights: FlowWeights): void {
  const layout = flowLayout(spec)
  const known = new Set(layout.map((t) => t.name))
  for (const name of weights.keys())
    if (!known.has(name)) throw invalid(`weights hold '${name}', which the spec does not have`)
  for (const { name, shape } of layout) {
    const tensor = weights.get(name)
    if (tensor === undefined)
      throw invalid(`weights lack '${name}' of shape [${shape}]: the model file is incomplete`)
    if (tensor.shape.length !== shape.length || tensor.shape.some((n, i) => n !== shape[i]))
      throw invalid(`'${name}' has shape [${tensor.shape}], the spec asks for [${shape}]`)
    if (tensor.data.length !== sizeOf(shape))
      throw invalid(`'${name}' holds ${tensor.data.length} numbers, its shape [${shape}] ${sizeOf(shape)}`)
    const bad = tensor.data.findIndex((v) => !Number.isFinite(v))
    if (bad >= 0) throw invalid(`'${name}'[${bad}] is ${tensor.data[bad]}: every weight must be finite`)
  }
  spec.bijectors.forEach((bijector, i) => {
    const tensor = (name: string): WeightTensor => weights.get(`${i}.${name}`)!
    if (bijector.kind === 'rotation') requireOrthogonal(tensor('matrix').data, spec.dim, `${i}.matrix`)
    if (bijector.kind === 'lu-linear') {
      requirePermutation([...tensor('permutation').data], `${i}.permutation`)
      if (tensor('sign').data.some((v) => Math.abs(v) !== 1))
        throw invalid(`'${i}.sign' must hold 1 and -1 only`)
    }
  })
}

function validateContext(value: unknown): ContextSpec {
  const context = object(value, 'context')
  return {
    numeric: count(context.numeric, 'context.numeric', 0, FLOW_LIMITS.contextNumeric),
    embeddings: array(context.embeddings, 'context.embeddings', FLOW_LIMITS.embeddings).map((e, i) => {
      const place = `context.embeddings[${i}]`
      const embedding = object(e, place)
      return {
        levels: count(embedding.levels, `${place}.levels`, 1, FLOW_LIMITS.embeddingLevels),
        width: count(embedding.width, `${place}.width`, 1, FLOW_LIMITS.embeddingWidth),
      }
    }),
  }
}

function validateBijector(value: unknown, place: string, dim: number): BijectorSpec {
  const spec = object(value, place)
  switch (spec.kind) {
    case 'actnorm':
    case 'rotation':
    case 'lu-linear':
      return { kind: spec.kind }
    case 'permutation': {
      const order = array(spec.order, `${place}.order`, FLOW_LIMITS.dim).map(Number)
      if (order.length !== dim) fail(`${place}.order`, `${order.length} entries`, `must have dim = ${dim}`)
      requirePermutation(order, `${place}.order`)
      return { kind: 'permutation', order }
    }
    case 'affine-coupling': {
      const maxLogScale = spec.maxLogScale
      if (typeof maxLogScale !== 'number' || !(maxLogScale > 0 && maxLogScale <= FLOW_LIMITS.maxLogScale))
        fail(`${place}.maxLogScale`, maxLogScale, `must lie in (0, ${FLOW_LIMITS.maxLogScale}]`)
      return {
        kind: 'affine-coupling',
        split: count(spec.split, `${place}.split`, 0, dim - 1),
        hidden: array(spec.hidden, `${place}.hidden`, FLOW_LIMITS.hiddenLayers).map((h, i) =>
          count(h, `${place}.hidden[${i}]`, 1, FLOW_LIMITS.hiddenWidth),
        ),
        maxLogScale: maxLogScale as number,
      }
    }
    default:
      return fail(
        `${place}.kind`,
        spec.kind,
        "must be 'actnorm', 'permutation', 'rotation', 'lu-linear' or 'affine-coupling'",
      )
  }
}

function requirePermutation(order: readonly number[], place: string): void {
  const seen = new Set(order)
  const whole = order.every((v) => Number.isInteger(v) && v >= 0 && v < order.length)
  if (!whole || seen.size !== order.length)
    throw invalid(`'${place}' must hold each of 0 … ${order.length - 1} once`)
}

/** Rows of unit length, neighbouring rows orthogonal: catches a foreign matrix at D² cost instead of D³. */
function requireOrthogonal(matrix: Float32Array, dim: number, name: string): void {
  for (let r = 0; r < dim; r++) {
    const next = (r + 1) % dim
    let length = 0
    let overlap = 0
    for (let c = 0; c < dim; c++) {
      length += matrix[r * dim + c] ** 2
      if (next !== r) overlap += matrix[r * dim + c] * matrix[next * dim + c]
    }
    if (Math.abs(length - 1) > 1e-3 || Math.abs(overlap) > 1e-3)
      throw invalid(`'${name}' is not orthogonal at row ${r}: its log-determinant would not be 0`)
  }
}

function object(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return fail(place, value, 'must be an object')
  return value as Readonly<Record<string, unknown>>
}
function array(value: unknown, place: string, limit: number): readonly unknown[] {
  if (!Array.isArray(value)) return fail(place, value, 'must be an array')
  if (value.length > limit) return fail(place, `${value.length} entries`, `may have at most ${limit}`)
  return value
}
/** A whole number in [low, high], or FLOW_SPEC_INVALID. */
export function count(value: unknown, place: string, low: number, high: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high)
    return fail(place, value, `must be a whole number in [${low}, ${high}]`)
  return value
}
function fail(place: string, value: unknown, rule: string): never {
  const shown = typeof value === 'object' ? JSON.stringify(value)?.slice(0, 60) : String(value)
  throw invalid(`${place} is ${shown}: it ${rule}`)
}
function invalid(message: string): SurprisalError {
  return new SurprisalError('FLOW_SPEC_INVALID', message)
}
