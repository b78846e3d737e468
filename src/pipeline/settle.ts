import { SurprisalError } from '../core/errors.ts'
import type { DeadLetters, Delivery, ScoreStore, Sink } from '../core/ports.ts'
import { type ScoredBatch, UNSCORED } from '../core/scored.ts'
import type { Logger } from '../core/telemetry.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import type { PipelineMetrics } from './metrics.ts'
import { persist } from './persist.ts'
import type { RollGate } from './roll-gate.ts'

export interface Destinations {
  readonly sinks: readonly Sink[]
  readonly store?: ScoreStore
  readonly deadLetters?: DeadLetters
}

export interface SettlingParts extends Destinations {
  readonly breaker: CircuitBreaker
  readonly gate: RollGate
  readonly errors: { readonly tolerance: 'none' | 'all' }
  readonly metrics?: PipelineMetrics
  readonly logger: Logger
  /** Fires when the pipeline gives up what is in flight. */
  readonly abandoned: AbortSignal
}

export interface Written {
  /** Resolves once the source has taken note; what comes after may be written meanwhile. */
  readonly acknowledged: Promise<void>
}

/**
 * Takes one scored delivery to every destination and acknowledges it after the last of them. Destinations are
 * written at once, each with its own retries; none of them sees a batch of a partition before the one before it.
 * Undefined where the partition was taken away or the pipeline gave up first: nothing is acknowledged then.
 */
export async function settle(
  parts: SettlingParts,
  delivery: Delivery,
  scored: readonly ScoredBatch[],
): Promise<Written | undefined> {
  const { sinks, store, deadLetters, metrics, logger, gate } = parts
  const signal = AbortSignal.any([delivery.revoked, parts.abandoned])
  if (signal.aborted) return undefined
  judge(parts, delivery, scored)
  const { rejected } = delivery
  const writers = sinks.map((sink): Writer => {
    const write = async () => {
      for (const batch of scored) await sink.write(batch, delivery)
    }
    return { name: sink.name, write: sink.durableAt === 'roll' ? () => gate.write(sink, write) : write }
  })
  if (store !== undefined) {
    const append = async () => {
      for (const batch of scored) await store.append(batch)
    }
    writers.push({ name: store.name, write: append })
  }
  if (deadLetters !== undefined && rejected.length > 0)
    writers.push({ name: deadLetters.name, write: () => deadLetters.write(rejected, delivery) })
  const patiently = ({ name, write }: Writer) =>
    persist(write, { what: name, signal, logger, onRetry: () => metrics?.retried(name) })
  const { atomically } = delivery
  let acknowledged = Promise.resolve()
  try {
    if (atomically !== undefined) {
      const write = () => atomically(() => allSettledOrThrow(writers.map((writer) => writer.write())))
      await patiently({ name: 'transaction', write })
    } else {
      await allSettledOrThrow(writers.map(patiently))
      signal.throwIfAborted()
      acknowledged = gate.settle(() => delivery.ack())
      // An error surfaces where the acknowledgement is awaited.
      acknowledged.catch(() => undefined)
    }
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
  if (deadLetters !== undefined) metrics?.deadLettered(rejected.length)
  return { acknowledged }
}

interface Writer {
  readonly name: string
  readonly write: () => Promise<void>
}

/** Throws where the batch is so bad that the pipeline must stop before it. */
function judge({ breaker, errors }: SettlingParts, delivery: Delivery, scored: readonly ScoredBatch[]): void {
  const { rejected, batch } = delivery
  let bad = rejected.length
  let example = () => `${rejected[0]?.id}: ${rejected[0]?.reason}`
  for (const one of scored) {
    if (one.batch !== batch) continue
    const row = one.verdict.indexOf(UNSCORED)
    if (row >= 0 && bad === 0) example = () => `row ${row}: ${one.reasons.get(row)?.join('; ')}`
    for (const verdict of one.verdict) if (verdict === UNSCORED) bad++
  }
  if (errors.tolerance === 'none' && bad > 0)
    throw new SurprisalError(
      'RECORD_INVALID',
      `${example()}; errors.tolerance is none, so the pipeline stops here`,
    )
  breaker.observe(batch.rows + rejected.length, bad, example)
}

async function allSettledOrThrow(writes: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(writes)).find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
