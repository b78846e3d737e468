import { Worker } from 'node:worker_threads'
import { SurprisalError } from '../core/errors.ts'
import { entryUrl } from '../core/package-root.ts'
import type { Kernel, KernelVariant } from '../kernel/kernel.ts'
import { type TrainingLayout, TrainingShare } from '../kernel/training-share.ts'
import { encodeWork, perform, WORK_DOUBLES, type Work } from './kernel-work.ts'

/** The threads that share the work on a training flow. One piece of work at a time. */
export interface KernelTeam {
  run(work: Work): Promise<void>
  dispose(): Promise<void>
}

/** What a worker thread (src/entries/kernel-training.ts) starts from. */
export interface TeamMember {
  readonly variant: KernelVariant
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  readonly layout: TrainingLayout
  readonly index: number
  /** Address of the control words; the work, as float64s, follows CONTROL_BYTES later. */
  readonly control: number
}

/** Control words. ORDER counts pieces of work given, DONE those done; PENDING threads have yet to finish one. */
export const ORDER = 0
export const DONE = 1
export const PENDING = 2
export const ARRIVED = 3
export const GENERATION = 4
export const CONTROL_WORDS = 16
export const CONTROL_BYTES = CONTROL_WORDS * 4

/** All work in the calling thread. */
export function inlineTeam(kernel: Kernel, layout: TrainingLayout): KernelTeam {
  const share = new TrainingShare(kernel, layout, 0, () => {})
  return {
    async run(work) {
      perform(share, work)
    },
    async dispose() {},
  }
}

/** Worker threads over the kernel's shared memory: told by an atomic, heard by an asynchronous wait. */
export class ThreadTeam implements KernelTeam {
  private readonly kernel: Kernel
  private readonly control: number
  private readonly workers: readonly Worker[]
  private failure: SurprisalError | undefined
  private fail: (error: SurprisalError) => void = () => {}

  constructor(kernel: Kernel, layout: TrainingLayout) {
    this.kernel = kernel
    this.control = kernel.arena.allocate(CONTROL_BYTES + WORK_DOUBLES * 8)
    const { variant, module, memory } = kernel
    this.workers = Array.from({ length: layout.threads }, (_, index) => {
      const workerData: TeamMember = { variant, module, memory, layout, index, control: this.control }
      const worker = new Worker(entryUrl('kernel-training'), { workerData })
      worker.on('error', (cause) => {
        this.stop(new SurprisalError('INTERNAL', `training thread ${index} failed: ${cause}`, { cause }))
      })
      worker.unref()
      return worker
    })
  }

  async run(work: Work): Promise<void> {
    if (this.failure) throw this.failure
    const words = this.kernel.words(this.control, CONTROL_WORDS)
    encodeWork(work, this.kernel.doubles(this.control + CONTROL_BYTES, WORK_DOUBLES))
    const done = Atomics.load(words, DONE)
    Atomics.store(words, PENDING, this.workers.length)
    Atomics.add(words, ORDER, 1)
    Atomics.notify(words, ORDER)
    const wait = Atomics.waitAsync(words, DONE, done)
    if (!wait.async) return
    for (const worker of this.workers) worker.ref()
    try {
      await new Promise<void>((resolve, reject) => {
        this.fail = reject
        void wait.value.then(() => resolve())
      })
    } finally {
      for (const worker of this.workers) worker.unref()
    }
  }

  async dispose(): Promise<void> {
    if (!this.failure) await this.run({ kind: 'end' })
    await Promise.all(this.workers.map((worker) => worker.terminate()))
    this.kernel.arena.free(this.control)
  }

  private stop(error: SurprisalError): void {
    this.failure ??= error
    this.fail(this.failure)
  }
}
