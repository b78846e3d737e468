import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort } from './program.ts'

const run = promisify(execFile)
const FILE = join(dirname(fileURLToPath(import.meta.url)), 'compose.yaml')

let engine: Promise<boolean> | undefined

/** Whether a docker engine answers and its client knows `compose`. */
export function composeAnswers(): Promise<boolean> {
  engine ??= Promise.all([
    run('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: 5_000 }),
    run('docker', ['compose', 'version'], { timeout: 5_000 }),
  ]).then(
    ([{ stdout }]) => stdout.trim() !== '',
    () => false,
  )
  return engine
}

/** One service of compose.yaml on a free port of this host. */
export async function startComposed(
  service: 'kafka' | 'redis' | 'postgres',
): Promise<AsyncDisposable & { readonly port: number }> {
  const port = await freePort()
  const env = { KAFKA_PORT: '0', REDIS_PORT: '0', POSTGRES_PORT: '0' }
  const options = { env: { ...process.env, ...env, [`${service.toUpperCase()}_PORT`]: String(port) } }
  const compose = ['compose', '-p', `surprisal-test-${service}-${process.pid}`, '-f', FILE]
  await run('docker', [...compose, 'up', '-d', '--wait', service], options)
  return {
    port,
    async [Symbol.asyncDispose]() {
      await run('docker', [...compose, 'down', '-v', '--timeout', '2'], options)
    },
  }
}
