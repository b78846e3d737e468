import type { BijectorSpec, ContextSpec, FlowSpec } from '../core/flow-spec.ts'
import { NO_CONTEXT } from '../core/flow-spec.ts'
import { random } from '../core/random.ts'
import { count, FLOW_LIMITS, validateSpec } from './validation.ts'

export interface FlowOptions {
  /** Values per record, 1 and up. */
  readonly dim: number
  /** Couplings. Default 8. */
  readonly steps?: number
  /** Widths of the hidden layers of every coupling. Default [64, 64]. */
  readonly hidden?: readonly number[]
  /** What conditions every coupling. Default none. */
  readonly context?: ContextSpec
  /** Bound of a coupling's log-scale per dimension, nats. Default 2. */
  readonly maxLogScale?: number
}
export interface RealNvpOptions extends FlowOptions {
  /** What stands between couplings: a fixed random rotation (default) or permutations. */
  readonly mixing?: 'rotation' | 'permutation'
  /** Draws the permutations, which are part of the spec; rotations are weights. Default 0. */
  readonly seed?: number
}

/**
 * Real NVP (Dinh, Sohl-Dickstein and Bengio 2017): `steps` of actnorm, mixing and affine coupling. Permutations swap
 * the halves after every odd coupling, so that each pair moves every dimension, and shuffle after every even one.
 */
export function realNvp(options: RealNvpOptions): FlowSpec {
  const { dim, mixing = 'rotation' } = options
  const source = random(options.seed ?? 0)
  return assemble(options, (step) => {
    if (dim === 1) return []
    if (mixing === 'rotation') return [{ kind: 'rotation' }]
    if (step === 0) return []
    const order = Array.from({ length: dim }, (_, d) => (d + halfOf(dim)) % dim)
    return [{ kind: 'permutation', order: step % 2 === 1 ? order : source.shuffle(order) }]
  })
}

/** Glow for vectors (Kingma and Dhariwal 2018): `steps` of actnorm, invertible linear map in LU form, coupling. */
export function glow(options: FlowOptions): FlowSpec {
  return assemble(options, () => [{ kind: 'lu-linear' }])
}

function assemble(options: FlowOptions, mixing: (step: number) => readonly BijectorSpec[]): FlowSpec {
  const { dim, steps = 8, hidden = [64, 64], context = NO_CONTEXT, maxLogScale = 2 } = options
  const unmixed: FlowSpec = { dim, context, base: { kind: 'standard-normal' }, bijectors: [] }
  validateSpec(unmixed)
  count(steps, 'steps', 1, Math.floor(FLOW_LIMITS.bijectors / 3))
  return validateSpec({
    ...unmixed,
    bijectors: Array.from({ length: steps }, (_, step) => [
      { kind: 'actnorm' },
      ...mixing(step),
      { kind: 'affine-coupling', split: halfOf(dim), hidden, maxLogScale },
    ]).flat(),
  })
}

function halfOf(dim: number): number {
  return Math.floor(dim / 2)
}
