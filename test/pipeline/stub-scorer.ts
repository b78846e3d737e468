import type { Scorer } from '../../src/core/ports.ts'
import type { RecordBatch } from '../../src/core/record.ts'
import type { ScoredBatch } from '../../src/core/scored.ts'

/** Flags records whose `amount` is over 990; deterministic and instant, so that a test sees the pipeline alone. */
export class StubScorer implements Scorer {
  readonly modelVersion: number
  readonly rate = 0.01
  disposed = false
  private readonly before: (batch: RecordBatch) => void | Promise<void>

  constructor(modelVersion = 1, before: (batch: RecordBatch) => void | Promise<void> = () => {}) {
    this.modelVersion = modelVersion
    this.before = before
  }

  async score(batch: RecordBatch, { pipeline }: { readonly pipeline: string }): Promise<ScoredBatch> {
    await this.before(batch)
    const amount = batch.columns.get('amount')
    const pValue = Float64Array.from({ length: batch.rows }, (_, row) =>
      amount?.kind === 'number' && amount.values[row] > 990 ? 0.001 : 0.5,
    )
    return {
      batch,
      pipeline,
      modelVersion: this.modelVersion,
      scoredAt: Date.now(),
      threshold: this.rate,
      logProb: pValue.map(Math.log),
      score: pValue.map((p) => -Math.log10(p)),
      pValue,
      pMethod: new Uint8Array(batch.rows),
      verdict: Uint8Array.from(pValue, (p) => (p <= this.rate ? 1 : 0)),
      reasons: new Map(),
      attributions: new Map(),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed = true
  }
}
