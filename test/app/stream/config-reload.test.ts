import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { parsePipeline } from '../../../config/load.ts'
import { changesBetween, setAt } from '../../../src/app/stream/config-changes.ts'
import { ConfigReload } from '../../../src/app/stream/config-reload.ts'
import type { Logger } from '../../../src/core/telemetry.ts'

const FILE = {
  name: 'p',
  kafka: { 'bootstrap.servers': 'localhost:9092' },
  source: { type: 'kafka', topics: ['in'] },
  sinks: [{ type: 'kafka' }, { type: 'webhook', url: 'http://localhost/', queue: 5 }],
}
const parse = (extra: object = {}) =>
  parsePipeline(JSON.stringify({ ...FILE, ...extra }), 'pipeline.yaml', { environment: {} })

function reloading(...files: (() => ReturnType<typeof parse>)[]) {
  const lines: string[] = []
  const log = (_: object, message?: string) => lines.push(message ?? '')
  const logger: Logger = { debug: log, info: log, warn: log, error: log, child: () => logger }
  const config = parse()
  const metrics = new Registry()
  const applied: string[][] = []
  const reload = new ConfigReload({
    config,
    load: async () => files.shift()!(),
    apply: async (changed) => void applied.push([...changed]),
    metrics,
    logger,
  })
  const metric = async (name: string) => (await metrics.getSingleMetric(name)!.get()).values.at(-1)?.value
  return { config, reload, lines, applied, metric }
}

describe('ConfigReload', () => {
  it('changes live settings in place and names those that wait for a restart', async () => {
    const { config, reload, lines, applied } = reloading(() =>
      parse({
        alerts: { rate: 0.01, cooldown_ms: 7 },
        sinks: [{ type: 'kafka' }, { type: 'webhook', url: 'http://localhost/', queue: 9 }],
        source: { type: 'kafka', topics: ['other'] },
      }),
    )
    const { alerts, sinks } = config
    await reload.request()
    expect(alerts).toMatchObject({ rate: 0.01, cooldown_ms: 7 })
    expect(sinks[1]).toMatchObject({ queue: 9 })
    expect(config.source).toMatchObject({ topics: ['in'] })
    expect(applied).toEqual([['alerts.cooldown_ms', 'alerts.rate', 'sinks.1.queue']])
    expect(lines[1]).toBe('a restart is needed for: source.topics')
  })

  it('keeps the file before where the new one is invalid, says so in the log and in a metric', async () => {
    const bad = () => parse({ alerts: { rate: 7 } })
    const { config, reload, lines, applied, metric } = reloading(bad, () =>
      parse({ log: { level: 'debug' } }),
    )
    await reload.request()
    expect(lines).toEqual(['configuration not reloaded: the one before stays'])
    expect(applied).toEqual([])
    expect(config).toEqual(parse())
    expect(await metric('surprisal_config_last_reload_successful')).toBe(0)
    await reload.request()
    expect(config.log.level).toBe('debug')
    expect(await metric('surprisal_config_last_reload_successful')).toBe(1)
    expect(await metric('surprisal_config_reloads_total')).toBe(1)
  })

  it('takes a setting away that is gone', async () => {
    const { config, reload } = reloading(() => parse({ alerts: { rate: 0.01 } }), parse)
    await reload.request()
    await reload.request()
    expect(config).toEqual(parse())
  })
})

describe('changesBetween', () => {
  it('names the deepest setting that differs, and lists as one', () => {
    const before = { a: { b: 1, list: [1, 2] }, s: [{ x: 1 }], t: [{ x: 1 }] }
    const after = { a: { b: 2, list: [1] }, s: [{ x: 2 }], t: [], u: 0 }
    const changes = changesBetween(before, after)
    expect(changes.map(({ path }) => path)).toEqual(['a.b', 'a.list', 's.0.x', 't', 'u'])
    for (const { path, value } of changes) setAt(before, path, value)
    expect(before).toEqual(after)
  })
})
