import fc from 'fast-check'
import {
  type BijectorSpec,
  type ContextSpec,
  contextWidth,
  type FlowSpec,
  type FlowWeights,
  NO_CONTEXT,
  type WeightTensor,
} from '../../src/core/flow-spec.ts'
import { type Random, random } from '../../src/core/random.ts'

/** A flow with weights away from every special point (zero, identity), and records for it. */
export interface RandomFlow {
  readonly spec: FlowSpec
  readonly weights: FlowWeights
}

export function randomFlow(
  dim: number,
  bijectors: readonly BijectorSpec[],
  seed: number,
  context: ContextSpec = NO_CONTEXT,
): RandomFlow {
  const source = random(seed)
  const weights = new Map<string, WeightTensor>()
  const width = contextWidth(context)
  const normal = (name: string, scale: number, ...shape: number[]): void => {
    const size = shape.reduce((product, n) => product * n, 1)
    weights.set(name, { shape, data: Float32Array.from({ length: size }, () => scale * source.normal()) })
  }
  context.embeddings.forEach((e, i) => {
    normal(`context.embedding.${i}`, 1, e.levels, e.width)
  })
  bijectors.forEach((spec, i) => {
    if (spec.kind === 'actnorm') {
      normal(`${i}.log_scale`, 0.3, dim)
      normal(`${i}.bias`, 0.3, dim)
    } else if (spec.kind === 'rotation') {
      weights.set(`${i}.matrix`, { shape: [dim, dim], data: orthogonal(dim, source) })
    } else if (spec.kind === 'lu-linear') {
      normal(`${i}.lower`, 0.3 / Math.sqrt(dim), dim, dim)
      normal(`${i}.upper`, 0.3 / Math.sqrt(dim), dim, dim)
      normal(`${i}.log_diagonal`, 0.2, dim)
      const order = source.shuffle(Float32Array.from({ length: dim }, (_, d) => d))
      weights.set(`${i}.permutation`, { shape: [dim], data: order })
      const sign = Float32Array.from({ length: dim }, () => (source.uniform() < 0.5 ? -1 : 1))
      weights.set(`${i}.sign`, { shape: [dim], data: sign })
    } else if (spec.kind === 'affine-coupling') {
      const widths = [spec.split + width, ...spec.hidden, 2 * (dim - spec.split)]
      for (let layer = 0; layer + 1 < widths.length; layer++) {
        const last = layer + 2 === widths.length
        const scale = (last ? 0.5 : 1.2) / Math.sqrt(Math.max(1, widths[layer]))
        normal(`${i}.weight.${layer}`, scale, widths[layer + 1], widths[layer])
        normal(`${i}.bias.${layer}`, 0.2, widths[layer + 1])
      }
    }
  })
  return { spec: { dim, context, base: { kind: 'standard-normal' }, bijectors }, weights }
}

/** Real NVP (rotations) or Glow (actnorm, LU) with couplings of the given hidden sizes. */
export function steps(
  kind: 'real-nvp' | 'glow',
  dim: number,
  count: number,
  hidden: readonly number[],
): BijectorSpec[] {
  return Array.from({ length: count }, (): BijectorSpec[] => [
    { kind: 'actnorm' },
    { kind: kind === 'glow' ? 'lu-linear' : 'rotation' },
    { kind: 'affine-coupling', split: dim >> 1, hidden, maxLogScale: 2 },
  ]).flat()
}

export function randomRecords(
  spec: FlowSpec,
  rows: number,
  seed: number,
): { x: Float32Array; context: Float32Array } {
  const source = random(seed)
  const { numeric, embeddings } = spec.context
  const x = Float32Array.from({ length: rows * spec.dim }, () => source.normal())
  const context = Float32Array.from(
    Array.from({ length: rows }, () => [
      ...Array.from({ length: numeric }, () => source.normal()),
      ...embeddings.map((e) => source.integer(e.levels)),
    ]).flat(),
  )
  return { x, context }
}

/** Any sequence of bijectors, any sizes up to a few dozen, with and without context. */
export const anyFlow: fc.Arbitrary<RandomFlow> = fc
  .record({
    dim: fc.integer({ min: 1, max: 40 }),
    seed: fc.integer({ min: 0, max: 2 ** 31 }),
    context: fc.oneof(
      fc.constant(NO_CONTEXT),
      fc.record({
        numeric: fc.integer({ min: 0, max: 5 }),
        embeddings: fc.array(
          fc.record({ levels: fc.integer({ min: 1, max: 9 }), width: fc.integer({ min: 1, max: 5 }) }),
          { maxLength: 3 },
        ),
      }),
    ),
    kinds: fc.array(
      fc.constantFrom(
        'actnorm',
        'permutation',
        'rotation',
        'lu-linear',
        'affine-coupling',
        'affine-coupling',
      ),
      { maxLength: 8 },
    ),
  })
  .map(({ dim, seed, context, kinds }) => {
    const source = random(seed + 1)
    const bijectors = kinds.map((kind): BijectorSpec => {
      if (kind === 'permutation')
        return { kind, order: source.shuffle(Array.from({ length: dim }, (_, d) => d)) }
      if (kind !== 'affine-coupling') return { kind }
      const hidden = Array.from({ length: source.integer(4) }, () => 1 + source.integer(40))
      return { kind, split: source.integer(dim), hidden, maxLogScale: 0.5 + 3 * source.uniform() }
    })
    return randomFlow(dim, bijectors, seed, context)
  })

function orthogonal(dim: number, source: Random): Float32Array {
  const rows: number[][] = []
  while (rows.length < dim) {
    const row = Array.from({ length: dim }, () => source.normal())
    for (let pass = 0; pass < 2; pass++)
      for (const other of rows) {
        const dot = row.reduce((sum, v, i) => sum + v * other[i], 0)
        for (let i = 0; i < dim; i++) row[i] -= dot * other[i]
      }
    const norm = Math.sqrt(row.reduce((sum, v) => sum + v * v, 0))
    rows.push(row.map((v) => v / norm))
  }
  return Float32Array.from(rows.flat())
}
