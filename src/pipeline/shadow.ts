import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../core/errors.ts'
import type { LookBack, Scorer, ScoreStore, ShadowReport } from '../core/ports.ts'
import { ANOMALY, type ScoredBatch, UNSCORED } from '../core/scored.ts'
import type { Logger } from '../core/telemetry.ts'

const LOOK_MS = 5_000

export interface ShadowParts {
  readonly pipeline: string
  /** The version that waits for approval; undefined while none does. */
  challenger(): Promise<number | undefined>
  load(version: number): Promise<Scorer>
  /** Takes what the challenger says, as rows of the run `shadow-<version>`. */
  readonly store?: Pick<ScoreStore, 'append'>
  readonly logger: Logger
  readonly lookMs?: number
}

interface Waiting {
  readonly scorer: Scorer
  readonly lookBack: LookBack | undefined
  readonly since: string
  readonly counts: Record<'records' | 'skipped' | Agreement, number>
}
export type Agreement = 'both' | 'neither' | 'only_champion' | 'only_challenger' | 'unscored'

/**
 * Lets the challenger that waits for approval score what the champion has scored, so that a person sees what it would
 * have said. The champion alone decides: a batch that comes while the challenger is busy is passed by and counted, so
 * the stream never waits; what fails here is logged and changes nothing.
 */
export class Shadow implements AsyncDisposable {
  readonly #parts: ShadowParts
  #waiting: Waiting | undefined
  #work: Promise<void> | undefined
  readonly #failing = new Set<string>()

  constructor(parts: ShadowParts) {
    this.#parts = parts
  }

  get report(): ShadowReport | undefined {
    if (this.#waiting === undefined) return undefined
    const { scorer, since, counts } = this.#waiting
    return { version: scorer.modelVersion, since, ...counts }
  }

  /** Looks for a challenger every few seconds until the signal fires. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#noted('the challenger cannot be had', () => this.#look())
      await sleep(this.#parts.lookMs ?? LOOK_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Sees every batch that the champion scored, in order; never waits. */
  observe(champion: ScoredBatch): void {
    const waiting = this.#waiting
    if (waiting === undefined || waiting.scorer.modelVersion === champion.modelVersion) return
    if (champion.verdict.every((verdict) => verdict === UNSCORED)) return
    const looked = waiting.lookBack?.append(champion.batch) ?? champion.batch
    if (this.#work !== undefined) {
      waiting.counts.skipped += champion.batch.rows
      return
    }
    this.#work = this.#noted('the challenger cannot score', async () => {
      const { pipeline, store } = this.#parts
      const runId = `shadow-${waiting.scorer.modelVersion}`
      const scored = await waiting.scorer.score(looked, { pipeline, explain: false, runId })
      const challenger = { ...scored, batch: champion.batch, runId }
      for (let row = 0; row < champion.batch.rows; row++)
        waiting.counts[agreementOf(champion.verdict[row], challenger.verdict[row])]++
      waiting.counts.records += champion.batch.rows
      await store?.append(challenger)
    }).finally(() => {
      this.#work = undefined
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#replace(undefined)
  }

  async #look(): Promise<void> {
    const version = await this.#parts.challenger()
    if (version === this.#waiting?.scorer.modelVersion) return
    await this.#replace(undefined)
    if (version === undefined) return
    const scorer = await this.#parts.load(version)
    await this.#replace({
      scorer,
      lookBack: scorer.lookBack?.(),
      since: new Date().toISOString(),
      counts: {
        records: 0,
        skipped: 0,
        both: 0,
        neither: 0,
        only_champion: 0,
        only_challenger: 0,
        unscored: 0,
      },
    })
    this.#parts.logger.info({ version }, 'the challenger scores in the shadow of the champion')
  }

  async #replace(next: Waiting | undefined): Promise<void> {
    const before = this.#waiting
    this.#waiting = next
    await this.#work
    await before?.scorer[Symbol.asyncDispose]()
  }

  /** Tells of a failure once, until something works again. */
  async #noted(what: string, action: () => Promise<void>): Promise<void> {
    try {
      await action()
      this.#failing.delete(what)
    } catch (error) {
      if (!this.#failing.has(what)) this.#parts.logger.warn({ error: messageOf(error) }, what)
      this.#failing.add(what)
    }
  }
}

function agreementOf(champion: number, challenger: number): Agreement {
  if (champion === UNSCORED || challenger === UNSCORED) return 'unscored'
  if (champion === ANOMALY) return challenger === ANOMALY ? 'both' : 'only_champion'
  return challenger === ANOMALY ? 'only_challenger' : 'neither'
}
