import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ProgramOptions {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly folder: string
  readonly port: number
  /** Whether it serves; where absent, it does as soon as somebody listens on the port. */
  readonly serves?: () => Promise<boolean>
  /** What ends it at once and cleanly enough when the test process goes. */
  readonly exitSignal?: NodeJS.Signals
  readonly uid?: number
  readonly gid?: number
}

/** A server of its own process group, which a test may stop, kill and start again on the same port and data. */
export interface Program extends AsyncDisposable {
  readonly port: number
  readonly folder: string
  start(): Promise<void>
  /** SIGTERM, and wait. */
  stop(): Promise<void>
  /** SIGKILL to the whole group, and wait. */
  kill(): Promise<void>
  /** SIGSTOP: the server hangs; SIGCONT lets it go on. */
  signal(signal: NodeJS.Signals): void
}

const [FIRST_PORT, LAST_PORT] = [12_000, 32_000]

const running = new Map<ChildProcess, NodeJS.Signals>()

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, signal)
  } catch {
    // The group is gone already.
  }
}

function signalAll(): void {
  for (const [child, signal] of running) signalGroup(child, signal)
  running.clear()
}
process.once('exit', signalAll)
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.once(signal, () => {
    signalAll()
    process.kill(process.pid, signal)
  })
}

export async function program(options: ProgramOptions): Promise<Program> {
  const { name, folder, port, serves = () => listens(port) } = options
  const log = join(folder, 'output.log')
  let child: ChildProcess | undefined
  const ended = async () => {
    while (child !== undefined && child.exitCode === null && child.signalCode === null) await sleep(20)
    if (child !== undefined) running.delete(child)
    child = undefined
  }
  const self: Program = {
    port,
    folder,
    async start() {
      const out = openSync(log, 'a')
      const started = spawn(options.command, [...options.args], {
        cwd: folder,
        detached: true,
        stdio: ['ignore', out, out],
        ...(options.uid !== undefined && { uid: options.uid, gid: options.gid }),
      })
      child = started
      let failure: Error | undefined
      started.once('error', (error) => {
        failure = error
      })
      running.set(started, options.exitSignal ?? 'SIGKILL')
      const deadline = Date.now() + 120_000
      while (!(await serves())) {
        const gone = failure !== undefined || started.exitCode !== null || started.signalCode !== null
        if (gone || Date.now() > deadline) {
          signalGroup(started, 'SIGKILL')
          const last = readFileSync(log, 'utf8').split('\n').slice(-20).join('\n')
          throw new Error(`${name} did not start on port ${port}: ${failure?.message ?? ''}\n${last}`)
        }
        await sleep(50)
      }
    },
    async stop() {
      if (child === undefined) return
      signalGroup(child, 'SIGCONT')
      child.kill('SIGTERM')
      await ended()
    },
    async kill() {
      if (child === undefined) return
      signalGroup(child, 'SIGKILL')
      await ended()
    },
    signal(signal) {
      if (child !== undefined) signalGroup(child, signal)
    },
    async [Symbol.asyncDispose]() {
      if (child !== undefined) signalGroup(child, options.exitSignal ?? 'SIGKILL')
      await ended()
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  await self.start()
  return self
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/**
 * A port that was free a moment ago, and below those that systems give to outgoing connections: nobody takes it while
 * the server on it is down.
 */
export async function freePort(): Promise<number> {
  let port = randomInt(FIRST_PORT, LAST_PORT)
  while (!(await isFree(port))) port = randomInt(FIRST_PORT, LAST_PORT)
  return port
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

export function temporaryFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `surprisal-${name}-`))
}
