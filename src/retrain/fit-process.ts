import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type ErrorCode, SurprisalError } from '../core/errors.ts'
import { entryUrl } from '../core/package-root.ts'
import type { RetrainProgress } from '../core/ports.ts'
import type { RecordBatch } from '../core/record.ts'
import type { FitCheckpoint } from '../detect/fit/fit-checkpoints.ts'
import type { FitDetectorOptions } from '../detect/fit/fit-detector.ts'

/** What crosses the process boundary of a fit: no functions, no signal. */
export type FitSettings = Omit<FitDetectorOptions, 'signal' | 'onProgress' | 'logger' | 'checkpoints'>

export type ToChild =
  | { readonly type: 'batch'; readonly batch: RecordBatch }
  | { readonly type: 'fit'; readonly settings: FitSettings; readonly checkpoints: readonly FitCheckpoint[] }
export type FromChild =
  | { readonly type: 'progress'; readonly progress: RetrainProgress }
  | { readonly type: 'checkpoint'; readonly checkpoint: FitCheckpoint }
  | { readonly type: 'log'; readonly line: string }
  | { readonly type: 'done'; readonly artifact: Uint8Array }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string }

export interface FitHooks {
  readonly signal: AbortSignal
  /** Of an earlier attempt on the same window. */
  readonly checkpoints: readonly FitCheckpoint[]
  onProgress(progress: RetrainProgress): void
  onCheckpoint(checkpoint: FitCheckpoint): void
  onLog(line: string): void
}

const KILL_AFTER_MS = 5000

/**
 * Fits a detector in a child process: however long an epoch takes, the parent's event loop stays free to keep the
 * job's lock. Abort ends the child by SIGTERM, then SIGKILL. The child's death is INTERNAL and worth another try.
 */
export async function fitInProcess(
  batches: readonly RecordBatch[],
  settings: FitSettings,
  hooks: FitHooks,
): Promise<Uint8Array> {
  hooks.signal.throwIfAborted()
  const child = fork(fileURLToPath(entryUrl('fit-child')), { serialization: 'advanced' })
  const stop = (): void => {
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS).unref()
  }
  hooks.signal.addEventListener('abort', stop, { once: true })
  try {
    const outcome = outcomeOf(child, hooks)
    const sent = (async () => {
      for (const batch of batches) await send(child, { type: 'batch', batch })
      await send(child, { type: 'fit', settings, checkpoints: hooks.checkpoints })
    })()
    // A child that dies while it is fed is told by its outcome.
    sent.catch(() => {})
    return await outcome
  } finally {
    hooks.signal.removeEventListener('abort', stop)
    child.kill('SIGKILL')
  }
}

function outcomeOf(child: ChildProcess, hooks: FitHooks): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: FromChild) => {
      if (message.type === 'progress') hooks.onProgress(message.progress)
      else if (message.type === 'checkpoint') hooks.onCheckpoint(message.checkpoint)
      else if (message.type === 'log') hooks.onLog(message.line)
      else if (message.type === 'done') resolve(message.artifact)
      else reject(new SurprisalError(message.code, message.message))
    })
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      if (hooks.signal.aborted) reject(hooks.signal.reason)
      const how = signal === null ? `with exit code ${code}` : `by ${signal}`
      reject(
        new SurprisalError('INTERNAL', `the training process ended ${how} before it was done`, {
          retryable: true,
        }),
      )
    })
  })
}

function send(child: ChildProcess, message: ToChild): Promise<void> {
  return new Promise((resolve, reject) => {
    child.send(message, (error) => (error ? reject(error) : resolve()))
  })
}
