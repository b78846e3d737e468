import { isSurprisalError, messageOf, SurprisalError } from '../core/errors.ts'
import type { Delivery, Source } from '../core/ports.ts'
import type { ScoredBatch } from '../core/scored.ts'
import { type Logger, SILENT } from '../core/telemetry.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import { scoreIsolating } from './isolate.ts'
import type { PipelineMetrics } from './metrics.ts'
import { type PipelineOptions, pipelineOptions } from './options.ts'
import { persist } from './persist.ts'
import { RollGate } from './roll-gate.ts'
import type { ScorerProvider } from './scorer-handle.ts'
import { type Destinations, type SettlingParts, settle } from './settle.ts'
import { StreamPast } from './stream-past.ts'
import { batchOfRejected, unscoredBatch } from './unscored.ts'

export interface PipelineParts extends Destinations {
  readonly pipeline: string
  readonly source: Source
  readonly scorer: ScorerProvider
  /** Stops taking records; what is in flight is finished within flow_control.drain_ms. */
  readonly signal: AbortSignal
  readonly options?: PipelineOptions
  readonly metrics?: PipelineMetrics
  readonly logger?: Logger
  /** Attribute flagged records to their fields (the default). */
  readonly explain?: boolean
  /** Records of a partition that are read again where its past is not known, for a model that looks back. Default 20,000. */
  readonly replay?: number
  /** Called once source, destinations and store are open, before the first record. */
  readonly onOpen?: () => void
  /** Sees every scored batch after its destinations took it: episodes, drift. */
  readonly observe?: (scored: ScoredBatch) => void
}

export interface PipelineOutcome {
  readonly records: number
  /** False where batches in flight were abandoned at the drain's deadline; they come again after a restart. */
  readonly drained: boolean
}

/** Batches that may wait for their acknowledgement, for each one that may be worked on. */
const UNACKNOWLEDGED = 4
const REPLAY = 20_000

/**
 * Reads, scores, writes and acknowledges until the signal fires or the source ends. At least once: a delivery is
 * acknowledged after every destination took it. Several batches are scored at once; those of one origin are
 * written in order. Opens source and destinations, and leaves disposing to who made them.
 * Throws what cannot be waited out: a refusal, a broken circuit, an error that is not retryable.
 */
export async function runPipeline(parts: PipelineParts): Promise<PipelineOutcome> {
  const { source, scorer, signal, sinks, deadLetters, store, metrics, logger = SILENT } = parts
  const { errors, flow_control: flow } = parts.options ?? pipelineOptions.parse({})
  const abandon = new AbortController()
  const stop = new AbortController()
  const stopped = AbortSignal.any([signal, stop.signal])
  let failure: unknown
  const fail = (error: unknown) => {
    failure ??= error
    stop.abort()
    abandon.abort(error)
  }
  const gate = new RollGate(sinks, flow.roll_ms, flow.roll_batches, fail)
  const settling: SettlingParts = {
    ...parts,
    breaker: new CircuitBreaker(errors),
    gate,
    errors,
    logger,
    abandoned: abandon.signal,
  }
  const open = (what: string, attempt: () => Promise<void>) =>
    persist(attempt, { what: `opening ${what}`, signal: stopped, logger })
  const past = new StreamPast({ source, replay: parts.replay ?? REPLAY, signal: stopped, logger })
  const lanes = new Map<string, Promise<void>>()
  /** Batches that are scored or written; those in flight may also wait for their acknowledgement. */
  const working = new Set<Promise<void>>()
  const inFlight = new Set<Promise<void>>()
  let records = 0
  let drained = true
  let wake = () => {}
  const woken = () => wake()
  stopped.addEventListener('abort', woken)
  try {
    await Promise.all([
      open(source.name, () => source.open(stopped)),
      ...sinks.map((sink) => open(sink.name, () => sink.open(stopped))),
      ...(deadLetters ? [open(deadLetters.name, () => deadLetters.open(stopped))] : []),
      ...(store ? [open(store.name, () => store.open())] : []),
    ])
    parts.onOpen?.()
    await scorer.ready(stopped)
    for await (const delivery of source.deliveries(stopped)) {
      const lane = delivery.batch.origin.prefix
      const scored = scoreDelivery(parts, past, delivery, abandon.signal, logger)
      // An error surfaces below, in its turn.
      scored.catch(() => undefined)
      const before = lanes.get(lane)
      const write = async () => {
        await before
        const batches = await scored
        const started = performance.now()
        const written = await settle(settling, delivery, batches)
        return written && { ...written, batches, milliseconds: performance.now() - started }
      }
      const writing = write()
      const free: Promise<void> = writing
        .then(
          () => undefined,
          () => undefined,
        )
        .finally(() => {
          working.delete(free)
          metrics?.inFlight(working.size)
          if (lanes.get(lane) === free) lanes.delete(lane)
          wake()
        })
      lanes.set(lane, free)
      working.add(free)
      metrics?.inFlight(working.size)
      const work: Promise<void> = writing
        .then(async (written) => {
          if (written === undefined) return
          await written.acknowledged
          for (const batch of written.batches) {
            metrics?.scored(batch, written.milliseconds)
            parts.observe?.(batch)
            records += batch.batch.rows
          }
        })
        .catch((error) => {
          if (!abandon.signal.aborted && !delivery.revoked.aborted) fail(error)
        })
        .finally(() => {
          inFlight.delete(work)
          wake()
        })
      inFlight.add(work)
      while (
        (working.size >= flow.in_flight || inFlight.size >= UNACKNOWLEDGED * flow.in_flight) &&
        !stopped.aborted
      ) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
    drained = await settledWithin([...inFlight], flow.drain_ms)
    if (!drained)
      abandon.abort(new SurprisalError('ABORTED', 'the drain took longer than flow_control.drain_ms'))
    else if (failure === undefined) await gate.roll()
  } catch (error) {
    if (!(signal.aborted && isAbort(error))) fail(error)
  } finally {
    stopped.removeEventListener('abort', woken)
    gate.close()
    // A destination that hangs must not hold up the end: nothing more is acknowledged by now.
    await settledWithin([...inFlight], 1000)
  }
  if (failure !== undefined) {
    logger.error({ error: messageOf(failure) }, 'the pipeline stops')
    throw failure
  }
  if (!drained) logger.warn({}, 'batches in flight were abandoned; they are delivered again after a restart')
  return { records, drained }
}

/** The delivery's records scored by one model version, and its rejects where no dead letters take them. */
async function scoreDelivery(
  { scorer, pipeline, explain = true, deadLetters, metrics }: PipelineParts,
  past: StreamPast,
  delivery: Delivery,
  abandoned: AbortSignal,
  logger: Logger,
): Promise<ScoredBatch[]> {
  const { batch, rejected, revoked } = delivery
  const lease = scorer.lease()
  try {
    const scored: ScoredBatch[] = []
    if (batch.rows > 0) {
      const looked = await past.append(lease.scorer, delivery)
      const started = performance.now()
      await persist(
        async () => {
          scored.push({ ...(await scoreIsolating(lease.scorer, looked, pipeline, explain)), batch })
        },
        { what: 'scoring', signal: AbortSignal.any([revoked, abandoned]), logger },
      )
      metrics?.scoring(performance.now() - started)
    }
    if (rejected.length > 0 && deadLetters === undefined) {
      const rows = batchOfRejected(rejected, batch)
      scored.push(unscoredBatch(rows, pipeline, lease.scorer, (row) => rejected[row].reason))
    }
    return scored
  } catch (error) {
    if (revoked.aborted) return []
    throw error
  } finally {
    lease.release()
  }
}

function isAbort(error: unknown): boolean {
  return isSurprisalError(error, 'ABORTED') || (error instanceof Error && error.name === 'AbortError')
}

async function settledWithin(work: readonly Promise<void>[], milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds)
  })
  const done = await Promise.race([Promise.all(work).then(() => true), late])
  clearTimeout(timer)
  return done
}
