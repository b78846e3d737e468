import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** A Node process of a test, which goes with it. */
export interface Child extends AsyncDisposable {
  readonly process: ChildProcess
  /** Everything it wrote to stderr so far. */
  errors(): string
  /** Sends a signal and resolves with the exit code (null where the signal ended it). */
  end(signal: NodeJS.Signals): Promise<number | null>
}

export function startNode(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Child {
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  const gone = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  gone.then(() => process.off('exit', kill))
  let text = ''
  child.stderr.on('data', (chunk) => {
    text += chunk
  })
  child.stdout.resume()
  return {
    process: child,
    errors: () => text,
    async end(signal) {
      child.kill(signal)
      return gone
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await gone
    },
  }
}

export function fixture(name: string): string {
  return fileURLToPath(new URL(`../integration/fixtures/${name}`, import.meta.url))
}
