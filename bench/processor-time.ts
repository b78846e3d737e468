import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

const MICROS_A_TICK = 10_000
const WINDOW_MS = 100

/** CPU time so far, µs: the main thread and all others (Linux counts each thread by itself). */
export function cpuNow(): { main: number; others: number } {
  const { user, system } = process.cpuUsage()
  const stat = readFileSync(`/proc/self/task/${process.pid}/stat`, 'utf8')
  const [, ticks, kernelTicks] = /^\d+ \(.*\)(?: \S+){11} (\d+) (\d+)/.exec(stat) ?? []
  const main = (Number(ticks) + Number(kernelTicks)) * MICROS_A_TICK
  return { main, others: user + system - main }
}

function machine(): { idle: number; all: number } {
  let [idle, all] = [0, 0]
  for (const { times } of cpus()) {
    idle += times.idle
    all += times.user + times.nice + times.sys + times.irq + times.idle
  }
  return { idle, all }
}

/** What the processors of the machine do from now on, whoever keeps them busy. */
export class ProcessorTime implements Disposable {
  private readonly begun = performance.now()
  private readonly first = machine()
  private readonly ours = process.cpuUsage()
  private readonly timer: NodeJS.Timeout
  private windows = 0
  private full = 0

  constructor() {
    let last = this.first
    this.timer = setInterval(() => {
      const now = machine()
      this.windows++
      if (now.idle === last.idle) this.full++
      last = now
    }, WINDOW_MS)
  }

  /** Shares of 1: how busy all processors were, of how many tenths of a second no processor had any left, this process’s part. */
  shares(): { busy: number; saturated: number; ours: number } {
    const now = machine()
    const { user, system } = process.cpuUsage(this.ours)
    const all = 1000 * (performance.now() - this.begun) * cpus().length
    return {
      busy: 1 - (now.idle - this.first.idle) / (now.all - this.first.all),
      saturated: this.full / Math.max(1, this.windows),
      ours: (user + system) / all,
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer)
  }
}
