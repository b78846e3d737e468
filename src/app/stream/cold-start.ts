import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../core/errors.ts'
import type { RetrainQueue } from '../../core/ports.ts'
import type { Logger } from '../../core/telemetry.ts'
import type { ScorerHandle } from '../../pipeline/scorer-handle.ts'
import type { ConnectedSource } from './connect-stream.ts'
import type { Election } from './election.ts'

const LOOK_MS = 2_000
const LOG_EVERY = 15
const LOADING = 'the champion is being loaded'
/** A fit that failed is not asked for again before: what is in the topic may not do, though its offsets were enough. */
const AGAIN_MS = 60_000

export interface ColdStart {
  readonly pipeline: string
  readonly source: ConnectedSource
  readonly queue: RetrainQueue
  readonly handle: ScorerHandle
  /** A champion that is only being loaded is no cold start. */
  hasChampion(): Promise<boolean>
  readonly minimumRecords: number
  /** Epoch milliseconds of the start of the window that would be learned from. */
  since(): number
  /** Among processes that share no queue: one asks for the fit, the others wait for its model. */
  readonly election?: Election
  readonly lookMs?: number
  readonly logger: Logger
}

/**
 * Waits, while there is no model, until the source holds enough records, and asks for one fit: a queue has one open job
 * per pipeline, whoever asks, and an election one who asks where each process has a queue of its own. `report` hears what is waited for: it stands in /readyz.
 */
export async function warmUp(
  start: ColdStart,
  report: (waiting: string | null) => void,
  signal: AbortSignal,
): Promise<void> {
  const { pipeline, handle, lookMs = LOOK_MS, logger } = start
  for (let look = 0; !signal.aborted && handle.current === undefined; look++) {
    const waiting = await nextStep(start, signal).catch((error: unknown) => `warming_up: ${messageOf(error)}`)
    report(waiting)
    if (look % LOG_EVERY === 0) logger.info({ pipeline }, waiting)
    await sleep(lookMs, undefined, { signal }).catch(() => undefined)
  }
  report(null)
  await start.election?.[Symbol.asyncDispose]()
}

/** Does what can be done now, and says what is waited for. */
async function nextStep(start: ColdStart, signal: AbortSignal): Promise<string> {
  const { pipeline, source, queue, minimumRecords } = start
  if (await start.hasChampion()) return LOADING
  const count = await source.count(start.since(), signal)
  if (count !== null && count < minimumRecords) {
    const number = new Intl.NumberFormat('en')
    return `warming_up: ${number.format(count)} of ${number.format(minimumRecords)} records`
  }
  if ((await start.election?.won()) === false)
    return 'warming_up: another process is learning the first model'
  // Whoever was elected before may have learned it since, and given the work up.
  if (await start.hasChampion()) return LOADING
  const [failed] = await queue.jobs({ pipeline, states: ['failed'] })
  if (failed !== undefined && Date.now() - Date.parse(failed.finished_at ?? '') < AGAIN_MS)
    return `warming_up: job ${failed.id} failed, the next is asked for a minute later: ${failed.error}`
  const job = await queue.enqueue({
    pipeline,
    trigger: 'cold-start',
    reason: 'there is no model yet',
    who: 'surprisal run',
  })
  return `warming_up: job ${job.id} is learning the first model (${job.progress.stage})`
}
