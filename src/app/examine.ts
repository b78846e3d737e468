import { availableParallelism, cpus, totalmem } from 'node:os'
import { packageVersion } from '../core/package-root.ts'
import { loadKernel } from '../kernel/kernel.ts'
import { type BackendReport, describeBackends } from '../train/backend.ts'

export interface Examination {
  readonly machine: Readonly<Record<string, unknown>>
  readonly backends: readonly BackendReport[]
}

/** What this machine offers: versions, cores, memory, the kernel's instruction set, and each compute backend. */
export async function examine(): Promise<Examination> {
  return {
    machine: {
      surprisal: packageVersion,
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      processor: cpus()[0]?.model ?? 'unknown',
      cores: availableParallelism(),
      memory_gib: Number((totalmem() / 2 ** 30).toFixed(1)),
      kernel: loadKernel().variant,
    },
    backends: await describeBackends(),
  }
}
