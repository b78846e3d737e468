import type { BijectorSpec, FlowSpec, FlowWeights, WeightTensor } from '../../src/core/flow-spec.ts'
import { random } from '../../src/core/random.ts'
import type { Placement } from '../../src/flow/bijector.ts'
import { flowLayout } from '../../src/flow/layout.ts'
import { initialWeights } from '../../src/flow/weights.ts'

/**
 * Weights away from any start: whatever is trained is moved by N(0, (strength · scale)²), conditioners being wide
 * awake at strength 1; matrices by a scale that keeps them well conditioned at any size.
 */
export function randomisedWeights(spec: FlowSpec, seed: number, strength = 1): FlowWeights {
  const draw = random(seed)
  const weights = new Map<string, WeightTensor>(initialWeights(spec, seed))
  for (const { name, shape, trainable } of flowLayout(spec)) {
    if (!trainable) continue
    const inputs = shape.length > 1 && !name.startsWith('context.') ? shape[1] : 1
    const scale = (strength * (name.includes('.weight.') ? 1.4 : 0.4)) / Math.sqrt(inputs)
    weights.set(name, { shape, data: weights.get(name)!.data.map((start) => start + scale * draw.normal()) })
  }
  return weights
}

/** The same for one bijector, whose context is already looked up. */
export function randomisedPlacement(
  bijector: BijectorSpec,
  dim: number,
  contextWidth: number,
  seed: number,
): Placement {
  const spec: FlowSpec = {
    dim,
    context: { numeric: contextWidth, embeddings: [] },
    base: { kind: 'standard-normal' },
    bijectors: [bijector],
  }
  const weights = randomisedWeights(spec, seed)
  return { dim, contextWidth, weight: (name) => weights.get(`0.${name}`)! }
}
