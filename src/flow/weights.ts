import type { FlowSpec, FlowWeights, WeightTensor } from '../core/flow-spec.ts'
import { contextWidth } from '../core/flow-spec.ts'
import { type Random, random } from '../core/random.ts'
import { bijectorLayout, conditionerLayers, sizeOf, type TensorLayout } from './layout.ts'
import { luFactors, randomOrthogonal } from './orthogonal.ts'

/**
 * Where training starts, the same for the same seed anywhere: hidden layers N(0, 2 / inputs) (He et al. 2015), last
 * layers N(0, (0.01 / √inputs)²) so that every coupling is nearly the identity, biases and actnorms 0, rotations
 * uniform over the orthogonal matrices, LU factors those of such a rotation, embeddings N(0, 0.1²).
 */
export function initialWeights(spec: FlowSpec, seed: number): FlowWeights {
  const source = random(seed)
  const weights = new Map<string, WeightTensor>()
  spec.context.embeddings.forEach(({ levels, width }, e) => {
    weights.set(`context.embedding.${e}`, normal([levels, width], 0.1, source))
  })
  const context = contextWidth(spec.context)
  spec.bijectors.forEach((bijector, i) => {
    const layout = bijectorLayout(bijector, spec.dim, context)
    for (const tensor of layout) weights.set(`${i}.${tensor.name}`, zeros(tensor))
    if (bijector.kind === 'rotation') fill(weights, `${i}.matrix`, randomOrthogonal(spec.dim, source))
    if (bijector.kind === 'lu-linear') {
      const factors = luFactors(randomOrthogonal(spec.dim, source), spec.dim)
      fill(weights, `${i}.lower`, factors.lower)
      fill(weights, `${i}.upper`, factors.upper)
      fill(
        weights,
        `${i}.log_diagonal`,
        factors.diagonal.map((d) => Math.log(Math.abs(d))),
      )
      fill(weights, `${i}.permutation`, factors.permutation)
      fill(weights, `${i}.sign`, factors.diagonal.map(Math.sign))
    }
    if (bijector.kind === 'affine-coupling') {
      const widths = conditionerLayers(bijector, spec.dim, context)
      widths.forEach(([inputs, outputs], layer) => {
        const last = layer === widths.length - 1
        const scale = last ? 0.01 / Math.sqrt(Math.max(1, inputs)) : Math.sqrt(2 / Math.max(1, inputs))
        weights.set(`${i}.weight.${layer}`, normal([outputs, inputs], scale, source))
      })
    }
  })
  return weights
}

/** A deep copy: nothing that is done to it reaches the original. */
export function copyWeights(weights: FlowWeights): FlowWeights {
  return new Map(
    [...weights].map(([name, { shape, data }]) => [name, { shape: [...shape], data: data.slice() }]),
  )
}

function zeros({ shape }: TensorLayout): WeightTensor {
  return { shape, data: new Float32Array(sizeOf(shape)) }
}
function normal(shape: readonly number[], scale: number, source: Random): WeightTensor {
  return { shape, data: Float32Array.from({ length: sizeOf(shape) }, () => scale * source.normal()) }
}
function fill(weights: FlowWeights, name: string, values: ArrayLike<number>): void {
  weights.get(name)!.data.set(values)
}
