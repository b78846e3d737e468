import type { FlowSpec, FlowWeights } from '../../src/core/flow-spec.ts'
import { contextColumns } from '../../src/core/flow-spec.ts'
import { type Tensor2D, tf, useCpu } from '../../src/flow/engine.ts'
import { Flow } from '../../src/flow/flow.ts'
import { type Executor, executorSuite } from '../conformance/executor.suite.ts'

await useCpu()

/** The definition in tfjs operations, held to the same suite as the kernel: so both mean the same. */
function tfjsExecutor(spec: FlowSpec, weights: FlowWeights): Executor {
  const flow = Flow.from(spec, weights)
  const columns = contextColumns(spec.context)
  const run = (
    x: Float32Array,
    context: Float32Array,
    rows: number,
    use: (x: Tensor2D, c?: Tensor2D) => tf.Tensor,
  ) =>
    tf.tidy(() => {
      const seen = columns > 0 ? tf.tensor2d(context, [rows, columns]) : undefined
      return use(tf.tensor2d(x, [rows, spec.dim]), seen).dataSync() as Float32Array
    })
  return {
    logProb: (x, context, rows) => Float64Array.from(run(x, context, rows, (t, c) => flow.logProb(t, c))),
    latents: (x, context, rows) => run(x, context, rows, (t, c) => flow.inverse(t, c).value),
    dispose: () => flow[Symbol.dispose](),
  }
}

executorSuite('tfjs-cpu', tfjsExecutor, { exactRows: false, runs: 40 })
