/**
 * Real servers for the integration tests. A test asks for one with `await shared('kafka' | 'redis' | 'postgres' |
 * 'chromium')` of test/services/shared.ts and gets its address; it is started by the first who asks and stopped
 * after the run. A test that wants to stop, kill or restart a server starts its own: startKafka, startRedis,
 * startPostgres of test/services. The one key provided to tests is `servicesUrl`, over which `shared` asks.
 *
 * Where they come from, in this order: SURPRISAL_TEST_KAFKA (host:port), _REDIS (redis://), _POSTGRES (postgres://),
 * _CHROMIUM (path); docker compose where an engine answers; programs of this machine, which are installed first on
 * Debian as root. A server that cannot be had fails the test and says what to install.
 */
import { createServer } from 'node:http'
import type { TestProject } from 'vitest/node'
import { chromiumPath } from '../services/chromium.ts'
import { composeAnswers, startComposed } from '../services/compose.ts'
import { startKafka } from '../services/kafka.ts'
import { startPostgres } from '../services/postgres.ts'
import { startRedis } from '../services/redis.ts'
import type { ServiceName } from '../services/shared.ts'

interface Running extends Partial<AsyncDisposable> {
  readonly address: string
}

const LOCAL: Readonly<Record<ServiceName, () => Promise<Running>>> = {
  kafka: async () => {
    const server = await startKafka()
    return Object.assign(server, { address: server.brokers })
  },
  redis: async () => {
    const server = await startRedis()
    return Object.assign(server, { address: server.url })
  },
  postgres: async () => {
    const server = await startPostgres()
    return Object.assign(server, { address: server.url })
  },
  chromium: async () => ({ address: await chromiumPath() }),
}

const ADDRESSES = {
  kafka: (port: number) => `127.0.0.1:${port}`,
  redis: (port: number) => `redis://127.0.0.1:${port}`,
  postgres: (port: number) => `postgres://postgres@127.0.0.1:${port}/postgres`,
} as const

async function startService(service: ServiceName): Promise<Running> {
  const address = process.env[`SURPRISAL_TEST_${service.toUpperCase()}`]
  if (address) return { address }
  if (service === 'chromium' || !(await composeAnswers())) return LOCAL[service]()
  const composed = await startComposed(service)
  return Object.assign(composed, { address: ADDRESSES[service](composed.port) })
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const services = new Map<string, Promise<Running>>()
  const serviceOf = (name: ServiceName): Promise<Running> => {
    const service = services.get(name) ?? startService(name)
    services.set(name, service)
    return service
  }
  // There all tests run, and everything may have to be installed first: that goes on beside those that need none of it.
  if (process.env.CI) for (const name of Object.keys(LOCAL)) serviceOf(name as ServiceName).catch(() => {})
  const server = createServer((request, response) => {
    const name = request.url?.slice(1) as ServiceName
    if (!Object.hasOwn(LOCAL, name)) return void response.writeHead(404).end(`no service "${name}"`)
    serviceOf(name).then(
      ({ address }) => response.end(address),
      (error: Error) => response.writeHead(500).end(error.stack),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  project.provide('servicesUrl', `http://127.0.0.1:${port}`)
  return async () => {
    server.closeAllConnections()
    server.close()
    const started = await Promise.allSettled(services.values())
    await Promise.all(
      started.map(async (outcome) => {
        if (outcome.status === 'fulfilled') await outcome.value[Symbol.asyncDispose]?.()
      }),
    )
  }
}
