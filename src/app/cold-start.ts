import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../core/errors.ts'
import type { RetrainQueue } from '../core/ports.ts'
import type { Logger } from '../core/telemetry.ts'
import type { ScorerHandle } from '../pipeline/scorer-handle.ts'
import type { ConnectedSource } from './connect-stream.ts'

const LOOK_MS = 2_000
const LOG_EVERY = 15

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
  readonly logger: Logger
}

/**
 * Waits, while there is no model, until the source holds enough records, and asks for one fit (one open job per
 * pipeline, whoever asks). `report` hears what is waited for: it stands in /readyz.
 */
export async function warmUp(
  { pipeline, source, queue, handle, hasChampion, minimumRecords, since, logger }: ColdStart,
  report: (waiting: string | null) => void,
  signal: AbortSignal,
): Promise<void> {
  const number = new Intl.NumberFormat('en')
  const tell = (waiting: string, look: number) => {
    report(waiting)
    if (look % LOG_EVERY === 0) logger.info({ pipeline }, waiting)
  }
  for (let look = 0; !signal.aborted && handle.current === undefined; look++) {
    try {
      const count = (await hasChampion()) ? undefined : await source.count(since())
      if (count === undefined) {
        report('the champion is being loaded')
      } else if (count === null || count >= minimumRecords) {
        const job = await queue.enqueue({
          pipeline,
          trigger: 'cold-start',
          reason: 'there is no model yet',
          who: 'surprisal run',
        })
        report(`warming_up: job ${job.id} is learning the first model (${job.progress.stage})`)
      } else {
        report(`warming_up: ${number.format(count)} of ${number.format(minimumRecords)} records`)
      }
    } catch (error) {
      report(`warming_up: ${messageOf(error)}`)
    }
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined)
  }
  report(null)
}
