import type { SingleBar } from 'cli-progress'

export interface ProgressUpdate {
  /** 0 … 1; undefined where the end is not known. */
  readonly fraction?: number
  readonly records?: number
  readonly message?: string
}
export interface Progress extends Disposable {
  update(update: ProgressUpdate): void
}

const STEPS = 1000
const LINE_EVERY_MS = 5000

/** Progress on standard error: a bar with rate and time left on a terminal, else a plain line every five seconds. */
export async function startProgress(label: string): Promise<Progress> {
  return process.stderr.isTTY ? bar(label) : lines(label)
}

async function bar(label: string): Promise<Progress> {
  const { default: cliProgress } = await import('cli-progress')
  const started = performance.now()
  const single: SingleBar = new cliProgress.SingleBar(
    {
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
      format: `${label} {bar} {percentage} {text}`,
      formatValue: (value, _, type) => (type === 'percentage' ? `${value}%`.padStart(4) : String(value)),
    },
    cliProgress.Presets.shades_classic,
  )
  single.start(STEPS, 0, { text: '' })
  return {
    update(update) {
      const seconds = (performance.now() - started) / 1000
      single.update(Math.floor((update.fraction ?? 0) * STEPS), { text: textOf(update, seconds) })
    },
    [Symbol.dispose]() {
      single.stop()
    },
  }
}

function lines(label: string): Progress {
  const started = performance.now()
  let last = started
  return {
    update(update) {
      const now = performance.now()
      if (now - last < LINE_EVERY_MS) return
      last = now
      const percent = update.fraction === undefined ? '' : ` ${Math.floor(update.fraction * 100)}%`
      process.stderr.write(`${label}${percent} ${textOf(update, (now - started) / 1000)}\n`)
    },
    [Symbol.dispose]() {},
  }
}

function textOf({ fraction, records, message }: ProgressUpdate, seconds: number): string {
  const parts = [
    records === undefined ? '' : `${records.toLocaleString('en')} records`,
    records === undefined ? '' : `${Math.round(records / Math.max(seconds, 0.001)).toLocaleString('en')}/s`,
    message ?? '',
    fraction === undefined || fraction < 0.01
      ? ''
      : `${duration((seconds * (1 - fraction)) / fraction)} left`,
  ]
  return parts.filter((part) => part !== '').join(', ')
}

function duration(seconds: number): string {
  const whole = Math.round(seconds)
  return whole < 90 ? `${whole} s` : `${Math.round(whole / 60)} min`
}
