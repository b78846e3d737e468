import { setMaxListeners } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import Tinypool from 'tinypool'
import { type ErrorCode, SurprisalError, throwIfAborted } from '../core/errors.ts'
import { entryUrl } from '../core/package-root.ts'
import { parameterCount } from '../flow/layout.ts'
import { type BackendName, chooseBackend } from './backend.ts'
import type { FitProgress, FlowFit } from './fit.ts'
import type { MemberJob } from './member.ts'

export interface MembersOptions {
  /** Default auto: the kernel, or a GPU where it pays. */
  readonly backend?: BackendName | 'auto'
  /** Worker threads, each with one member at a time. Default: one a core. The result does not depend on it. */
  readonly threads?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: MembersProgress) => void
  /** The latest checkpoint of a member, as often as its held-out loss is looked at; pass it back as `job.resume`. */
  readonly onCheckpoint?: (member: number, bytes: Uint8Array) => void
}

export interface MembersProgress extends FitProgress {
  readonly member: number
  readonly members: number
  /** Of all members together, 0 … 1. */
  readonly done: number
}

/** What a training thread is given, and what it says through `reports` before it returns the outcome. */
export interface MemberTask {
  readonly job: MemberJob
  readonly backend: BackendName
  readonly reports: MessagePort
  readonly checkpoints: boolean
}
export type MemberReport = { readonly progress: FitProgress } | { readonly checkpoint: Uint8Array }
/** A SurprisalError would lose its code on the way between threads. */
export type MemberOutcome =
  | { readonly fit: FlowFit }
  | { readonly code: ErrorCode; readonly message: string; readonly stack: string | undefined }

/** Backends that use one core each; the others hold a device or all cores, and take one member at a time. */
const THREADED: readonly BackendName[] = ['kernel', 'cpu']

/**
 * Fits every job in worker threads; results in the order of the jobs. The first failure stops all.
 * @throws SurprisalError of the member that failed; BACKEND_UNAVAILABLE; ABORTED
 */
export async function fitMembers(
  jobs: readonly MemberJob[],
  options: MembersOptions = {},
): Promise<readonly FlowFit[]> {
  throwIfAborted(options.signal)
  if (jobs.length === 0) return []
  const { name: backend } = await chooseBackend(options.backend ?? 'auto', {
    batch: Math.max(...jobs.map((job) => job.budget.batch)),
    parameters: Math.max(...jobs.map((job) => parameterCount(job.spec))),
  })
  const cores = THREADED.includes(backend) ? (options.threads ?? availableParallelism()) : 1
  const maxThreads = Math.max(1, Math.min(cores, jobs.length))
  const filename = fileURLToPath(entryUrl('fit-worker'))
  // A worker that waits by Atomics never gets round to closing its report port.
  const pool = new Tinypool({ filename, minThreads: maxThreads, maxThreads, useAtomics: false })
  const failure = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, failure.signal]) : failure.signal
  // Every task listens to it: many listeners are no leak.
  setMaxListeners(0, signal)
  const shares = jobs.map(() => 0)
  const report = (member: number, message: MemberReport) => {
    if ('checkpoint' in message) return options.onCheckpoint?.(member, message.checkpoint)
    const { progress } = message
    shares[member] = progress.secondsLeft === 0 ? 1 : progress.step / progress.steps
    const done = shares.reduce((sum, share) => sum + share, 0) / jobs.length
    options.onProgress?.({ ...progress, member, members: jobs.length, done })
  }
  try {
    return await Promise.all(
      jobs.map(async (job, member) => {
        const { port1, port2 } = new MessageChannel()
        port1.on('message', (message: MemberReport) => report(member, message))
        // The outcome comes by another port and may overtake the last reports.
        const closed = new Promise((resolve) => port1.once('close', resolve))
        try {
          const task: MemberTask = {
            job,
            backend,
            reports: port2,
            checkpoints: options.onCheckpoint !== undefined,
          }
          const outcome: MemberOutcome = await pool.run(task, { transferList: [port2], signal })
          if ('fit' in outcome) {
            await closed
            return outcome.fit
          }
          const cause = new Error(outcome.message)
          cause.stack = outcome.stack
          throw new SurprisalError(outcome.code, outcome.message, { cause })
        } finally {
          port1.close()
        }
      }),
    )
  } catch (error) {
    throwIfAborted(options.signal)
    throw error
  } finally {
    failure.abort()
    await pool.destroy()
  }
}
