import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../core/errors.ts'
import type { ModelRegistry, RetrainQueue } from '../../core/ports.ts'
import type { Logger } from '../../core/telemetry.ts'

const LOOK_MS = 60_000
/** A champion whose successor was rejected stays old: it is asked for again after this share of the age. */
const AGAIN_AFTER = 0.1

export interface StalenessOptions {
  readonly pipeline: string
  readonly registry: Pick<ModelRegistry, 'alias'>
  readonly queue: Pick<RetrainQueue, 'enqueue' | 'jobs'>
  readonly maxAgeMs: number
  readonly lookMs?: number
  readonly logger: Logger
}

/** Asks for a retraining whenever the champion is older than `maxAgeMs`, until the signal fires. */
export async function watchAge(options: StalenessOptions, signal: AbortSignal): Promise<void> {
  const { pipeline, lookMs = LOOK_MS, logger } = options
  while (!signal.aborted) {
    await askIfStale(options).catch((error: unknown) =>
      logger.warn({ pipeline, error: messageOf(error) }, 'the age of the model is not known'),
    )
    await sleep(lookMs, undefined, { signal }).catch(() => {})
  }
}

async function askIfStale({ pipeline, registry, queue, maxAgeMs, logger }: StalenessOptions): Promise<void> {
  const champion = await registry.alias(pipeline, 'champion')
  const now = Date.now()
  if (champion === undefined || now - Date.parse(champion.created_at) <= maxAgeMs) return
  const jobs = await queue.jobs({ pipeline })
  const asked = jobs.filter(({ request }) => request.trigger === 'staleness')
  if (asked.some(({ created_at }) => now - Date.parse(created_at) < AGAIN_AFTER * maxAgeMs)) return
  const days = (now - Date.parse(champion.created_at)) / 86_400_000
  const reason = `version ${champion.version} is ${days.toPrecision(2)} days old, allowed are ${(maxAgeMs / 86_400_000).toPrecision(2)}`
  logger.info({ pipeline }, reason)
  await queue.enqueue({
    pipeline,
    trigger: 'staleness',
    reason,
    who: 'surprisal run',
    champion: champion.version,
  })
}
