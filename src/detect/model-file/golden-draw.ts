import { type ContextSpec, contextColumns, type FlowSpec, type FlowWeights } from '../../core/flow-spec.ts'
import { random } from '../../core/random.ts'
import { tf, useCpu } from '../../flow/engine.ts'
import { Flow } from '../../flow/flow.ts'
import type { GoldenVectors } from './artifact.ts'

const ROWS = 16

/**
 * Draws golden vectors from a flow by its definition in tfjs operations, with the log p it has there: never training
 * records, so that a model file gives none away.
 */
export async function drawGolden(spec: FlowSpec, weights: FlowWeights, seed: number): Promise<GoldenVectors> {
  await useCpu()
  const source = random(seed)
  const columns = contextColumns(spec.context)
  const context = drawContext(spec.context, columns, seed)
  using flow = Flow.from(spec, weights)
  const [x, logProb] = tf.tidy(() => {
    const given = columns === 0 ? undefined : tf.tensor2d(context, [ROWS, columns])
    const sample = flow.sample(ROWS, source, given)
    return [sample.dataSync(), flow.logProb(sample, given).dataSync()]
  })
  return { x: Float32Array.from(x), context, logProb: Float32Array.from(logProb) }
}

function drawContext({ numeric, embeddings }: ContextSpec, columns: number, seed: number): Float32Array {
  const source = random(seed + 1)
  return Float32Array.from({ length: ROWS * columns }, (_, i) => {
    const column = i % columns
    return column < numeric ? 2 * source.uniform() - 1 : source.integer(embeddings[column - numeric].levels)
  })
}
