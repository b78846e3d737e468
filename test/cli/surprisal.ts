import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/core/package-root.ts'

const MAIN = join(packageRoot, 'dist', 'src', 'cli', 'main.js')

export interface Finished {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}
export interface RunOptions extends Pick<SpawnOptions, 'cwd' | 'uid' | 'gid' | 'env'> {
  readonly stdin?: string | Uint8Array
  /** Gets the running process; its standard input stays open unless `stdin` is given. */
  readonly during?: (child: ChildProcess) => void
}

/** Runs the built command as a process of its own. */
export async function surprisal(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const { stdin, during, ...spawning } = options
  const child = spawn(process.execPath, [MAIN, ...args], { ...spawning, stdio: 'pipe' })
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  child.stdin?.on('error', () => {})
  if (stdin !== undefined || during === undefined) child.stdin?.end(stdin ?? '')
  during?.(child)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
}

export const IS_ROOT = process.getuid?.() === 0

/** Rows of payments.csv: enough for one fit, where fewer take one a fold. */
export const ROWS = 1000

/** Ordinary records of an amount, a count and a city, the same at every call. */
export function writePayments(path: string, rows = ROWS): void {
  let state = 1
  const uniform = () => {
    state = (state * 16_807) % 2_147_483_647
    return state / 2_147_483_647
  }
  const lines = Array.from({ length: rows }, () => {
    const amount = 10 + 5 * (uniform() + uniform() + uniform())
    return `${amount.toFixed(3)},${Math.floor(uniform() * 20)},${uniform() < 0.7 ? 'Bern' : 'Genf'}`
  })
  writeFileSync(path, ['amount,count,city', ...lines, ''].join('\n'))
}

export function parseLines(ndjson: string): Record<string, unknown>[] {
  return ndjson
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}
