import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type FlowSpec, type FlowWeights, NO_CONTEXT } from '../../src/core/flow-spec.ts'
import { anyFlow, type RandomFlow, randomFlow, randomRecords, steps } from '../kernel/random-flow.ts'
import { referenceScore } from '../kernel/reference.ts'

/** Whatever evaluates a flow: x [rows, dim], context [rows, context columns]. */
export interface Executor {
  logProb(x: Float32Array, context: Float32Array, rows: number): Float64Array
  latents(x: Float32Array, context: Float32Array, rows: number): Float32Array
  dispose(): void
}

export interface ExecutorOptions {
  /** A record alone and the same record in a batch give the same bits, not only nearly the same number. */
  readonly exactRows: boolean
  /** Property runs; fewer for a slow executor. */
  readonly runs: number
}

/** Every executor means the same by a FlowSpec: |a − b| ≤ 1e-5 · max(1, |log base| + Σ|log-det|). */
export function executorSuite(
  name: string,
  create: (spec: FlowSpec, weights: FlowWeights) => Executor,
  options: ExecutorOptions,
): void {
  const withExecutor = <T>(flow: RandomFlow, use: (executor: Executor) => T): T => {
    const executor = create(flow.spec, flow.weights)
    try {
      return use(executor)
    } finally {
      executor.dispose()
    }
  }
  const agree = (flow: RandomFlow, rows: number, seed: number): void =>
    withExecutor(flow, (executor) => {
      const { x, context } = randomRecords(flow.spec, rows, seed)
      const logProb = executor.logProb(x, context, rows)
      const latents = executor.latents(x, context, rows)
      expect(logProb.length).toBe(rows)
      for (let r = 0; r < rows; r++) {
        const wanted = referenceScore(flow.spec, flow.weights, x, context, r)
        const scale = Math.max(1, Math.abs(wanted.logBase) + wanted.absLogDet)
        const error = Math.abs(logProb[r] - wanted.logProb) / scale
        if (!(error <= 1e-5)) expect.fail(`row ${r}: ${logProb[r]}, expected ${wanted.logProb}`)
        const size = Math.max(1, ...wanted.latent.map(Math.abs))
        for (let d = 0; d < flow.spec.dim; d++) {
          const off = Math.abs(latents[r * flow.spec.dim + d] - wanted.latent[d])
          if (!(off <= 2e-5 * size)) expect.fail(`latent ${d} of row ${r} is ${off} off`)
        }
      }
    })

  describe(`executor ${name}`, () => {
    it('agrees with the definitions on any flow and any batch', () => {
      fc.assert(
        fc.property(anyFlow, fc.integer({ min: 1, max: 90 }), (flow, rows) => {
          agree(flow, rows, rows)
        }),
        { numRuns: options.runs },
      )
    })

    it.each([1, 2, 3, 5, 16, 17, 64, 166, 256])('agrees in %i dimensions', (dim) => {
      agree(randomFlow(dim, steps('glow', dim, 2, [24, 20]), dim), 13, dim)
      agree(randomFlow(dim, steps('real-nvp', dim, 2, [32]), dim), 13, dim)
    })

    it.each([1, 7, 8, 63, 64, 65, 1000])('agrees on a batch of %i', (rows) => {
      const context = { numeric: 2, embeddings: [{ levels: 5, width: 3 }] }
      agree(randomFlow(6, steps('glow', 6, 3, [16, 16]), rows, context), rows, rows)
    })

    it('gives each record its own result, whatever it stands beside', () => {
      const context = { numeric: 1, embeddings: [{ levels: 4, width: 2 }] }
      for (const kind of ['real-nvp', 'glow'] as const) {
        const flow = randomFlow(7, steps(kind, 7, 3, [33, 12]), 5, context)
        const rows = 75
        const { x, context: c } = randomRecords(flow.spec, rows, 3)
        withExecutor(flow, (executor) => {
          const together = executor.logProb(x, c, rows).slice()
          for (let r = 0; r < rows; r++) {
            const alone = executor.logProb(x.slice(r * 7, r * 7 + 7), c.slice(r * 2, r * 2 + 2), 1)[0]
            if (options.exactRows) expect(alone).toBe(together[r])
            else expect(alone).toBeCloseTo(together[r], 4)
          }
        })
      }
    })

    it('calls nothing that is not a number plausible', () => {
      const hostile = [Number.NaN, Infinity, -Infinity, 3.4e38, -3.4e38]
      for (const context of [NO_CONTEXT, { numeric: 2, embeddings: [] }]) {
        const flow = randomFlow(5, steps('glow', 5, 2, [8]), 9, context)
        withExecutor(flow, (executor) => {
          for (const value of hostile)
            for (const rows of [1, 20])
              for (let d = 0; d < 5; d++) {
                const records = randomRecords(flow.spec, rows, d)
                records.x[(rows - 1) * 5 + d] = value
                const result = executor.logProb(records.x, records.context, rows)
                const bad = result[rows - 1]
                if (Number.isFinite(bad) && bad > -1e6) expect.fail(`${value} in ${d} has log p ${bad}`)
                if (rows > 1) expect(Number.isFinite(result[0])).toBe(true)
              }
        })
      }
    })

    it('does nothing for no rows', () => {
      withExecutor(randomFlow(3, steps('glow', 3, 1, [4]), 1), (executor) => {
        expect(executor.logProb(new Float32Array(), new Float32Array(), 0).length).toBe(0)
      })
    })
  })
}
