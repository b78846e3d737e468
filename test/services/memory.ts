import { readFileSync } from 'node:fs'
import type { Child } from './child.ts'

/** The most memory that a child process has held at once, MiB; undefined where the system does not tell. */
export function peakMemory({ process: { pid } }: Child): number | undefined {
  try {
    const [, kibibytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kibibytes) / 1024
  } catch {
    return undefined
  }
}
