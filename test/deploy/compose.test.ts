import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { loadPipeline } from '../../config/load.ts'
import { buildProgram } from '../../src/cli/program.ts'
import { packageRoot } from '../../src/core/package-root.ts'

interface Service {
  readonly image: string
  readonly command?: readonly string[] | string
  readonly volumes?: readonly string[]
  readonly healthcheck?: object
  readonly restart?: string
  readonly profiles?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly configs?: readonly { readonly source: string }[]
  readonly build?: object
  readonly read_only?: boolean
  readonly deploy?: {
    readonly resources?: { readonly limits?: { readonly cpus: string; readonly memory: string } }
  }
}
const read = (path: string) => readFileSync(join(packageRoot, path), 'utf8')
const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: object
  readonly configs: object
}
const services = Object.entries(compose.services)

describe('docker-compose.yml', () => {
  it('holds the whole cluster', () => {
    expect(Object.keys(compose.services).sort()).toEqual(
      [
        'api',
        'demo',
        'grafana',
        'kafka',
        'postgres',
        'prometheus',
        'redis',
        'scorer',
        'trainer',
        'trainer-gpu',
      ].sort(),
    )
  })

  it.each(services)('%s has limits, restarts, and waits for what is healthy', (_, service) => {
    expect(service.deploy?.resources?.limits).toMatchObject({
      cpus: expect.any(String),
      memory: expect.any(String),
    })
    expect(service.restart).toBe('unless-stopped')
    for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(condition).toBe('service_healthy')
      expect(compose.services[name].healthcheck).toBeDefined()
    }
  })

  it.each(services)('%s mounts what exists', (_, service) => {
    for (const volume of service.volumes ?? []) {
      const [from] = volume.split(':')
      if (from.startsWith('.')) expect(existsSync(join(packageRoot, from)), from).toBe(true)
      else expect(Object.keys(compose.volumes)).toContain(from)
    }
    for (const { source } of service.configs ?? []) expect(Object.keys(compose.configs)).toContain(source)
  })

  it('pins the version of every foreign image', () => {
    for (const [, { image }] of services) if (!image.startsWith('surprisal:')) expect(image).toMatch(/:v?\d/)
  })

  it('builds each image once, because two builds of one tag at the same time fail', () => {
    const built = services.filter(([, service]) => service.build !== undefined).map(([, { image }]) => image)
    expect(built.sort()).toEqual(['surprisal:gpu', 'surprisal:local'])
  })

  it('copies nothing into a container with a read-only root, which Compose cannot', () => {
    const own = services.filter(([, { image }]) => image.startsWith('surprisal:'))
    for (const [name, { read_only, configs }] of own)
      expect([name, read_only, configs]).toEqual([name, true, undefined])
  })

  it('publishes ports on this machine only', () => {
    const ports = services.flatMap(([, service]) => (service as { ports?: string[] }).ports ?? [])
    expect(ports.length).toBe(2)
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
  })
})

describe('Dockerfile', () => {
  const lines = read('Dockerfile').split('\n')
  const stages = lines.filter((line) => line.startsWith('FROM'))

  it('runs what the build makes, not as root, without development dependencies', () => {
    expect(stages.length).toBeGreaterThanOrEqual(3)
    expect(lines.filter((line) => line.startsWith('USER')).at(-1)).toBe('USER node')
    const entry = /ENTRYPOINT \["node", "\/app\/(.*)"\]/.exec(lines.join('\n'))?.[1]
    expect(existsSync(join(packageRoot, entry!)), entry).toBe(true)
    expect(lines.join('\n')).toMatch(/npm pkg delete devDependencies .*\\\n +&& npm prune/)
  })

  it('keeps optional packages, of which the compilers and DuckDB take their binaries', () => {
    for (const line of lines) expect(line).not.toMatch(/--(omit|no)[= -]optional/)
  })

  it('has the stages that docker-compose.yml builds', () => {
    for (const stage of ['runtime', 'gpu'])
      expect(stages.some((line) => line.endsWith(` AS ${stage}`))).toBe(true)
  })
})

describe('deploy/pipeline.yaml', () => {
  it('is a pipeline that the services of docker-compose.yml can run', () => {
    const config = loadPipeline(join(packageRoot, 'deploy/pipeline.yaml'), {
      environment: {
        KAFKA: 'kafka:9092',
        REDIS: 'redis://redis:6379',
      },
    })
    expect(config.store?.type).toBe('postgres')
    expect(config.queue.type).toBe('bullmq')
    expect(config.registry.type).toBe('redis')
    const port = config.api?.listen.split(':').at(-1)
    expect(JSON.stringify(compose.services.api)).toContain(`:${port}`)
  })

  it('is run by commands that the program has', () => {
    const commands = buildProgram().commands.map((command) => command.name())
    for (const [name, { command }] of services) {
      if (['scorer', 'trainer', 'trainer-gpu', 'api'].includes(name)) expect(commands).toContain(command?.[0])
    }
  })
})
