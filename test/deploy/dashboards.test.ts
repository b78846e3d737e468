import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { packageRoot } from '../../src/core/package-root.ts'
import { PipelineMetrics } from '../../src/pipeline/metrics.ts'
import { type ServedApi, serveApi } from '../api/served-api.ts'

const read = (path: string) => readFileSync(join(packageRoot, 'deploy', path), 'utf8')
const text = read('grafana/dashboards/surprisal.json')
const dashboard = JSON.parse(text)
const sources: { uid: string }[] = parse(read('grafana/provisioning/datasources/surprisal.yml')).datasources
const prometheusRules: { alert: string; expr: string; annotations: object }[] = parse(
  read('prometheus/alerts.yml'),
).groups.flatMap((group: { rules: object[] }) => group.rules)
const grafanaText = read('grafana/provisioning/alerting/surprisal.yml')

/** Every metric that this program exports, with the suffixes of histograms. */
function metricNames(): Set<string> {
  const registry = new Registry()
  new PipelineMetrics(registry, 'p')
  const names = registry.getMetricsAsArray().map((metric) => metric.name)
  return new Set(names.flatMap((name) => [name, `${name}_bucket`, `${name}_sum`, `${name}_count`]))
}

const used = (source: string) => [...source.matchAll(/\bsurprisal_[a-z0-9_]+/g)].map((match) => match[0])

describe('Grafana and Prometheus', () => {
  let served: ServedApi
  beforeAll(async () => {
    served = await serveApi()
  })
  afterAll(() => served[Symbol.asyncDispose]())

  it('ask for metrics that there are', () => {
    const lag = ['surprisal_source_lag_records']
    const known = new Set([...metricNames(), ...lag])
    for (const source of [text, grafanaText, ...prometheusRules.map((rule) => rule.expr)])
      for (const name of used(source)) expect([...known]).toContain(name)
  })

  it('use data sources that are provisioned', () => {
    const uids = sources.map((source) => source.uid)
    for (const match of text.matchAll(/"uid": "(surprisal-[a-z]+)"/g)) expect(uids).toContain(match[1])
    for (const match of grafanaText.matchAll(/datasourceUid: (\S+)/g))
      expect([...uids, '__expr__']).toContain(match[1])
  })

  it('ask the API what it answers, with columns that are there', async () => {
    const targets = dashboard.panels.flatMap((panel: { targets: { url?: string }[] }) => panel.targets)
    const asked = targets.filter((target: { url?: string }) => target.url !== undefined)
    expect(asked.length).toBeGreaterThanOrEqual(4)
    await served.queue.enqueue({ pipeline: 'orders', trigger: 'api', reason: 'x', who: 'x' })
    for (const { url, columns, root_selector } of asked) {
      const path = url
        .replace('http://api:8080', '')
        .replace(/\$\{pipeline\}/g, 'orders')
        .replace(/\$\{__from\}/g, '1772352000000')
        .replace(/\$\{__to\}/g, '1772355600000')
      const answer = await served.api.inject({ url: path })
      expect(answer.statusCode, `${path}: ${answer.body}`).toBe(200)
      const row = answer.json()[root_selector][0]
      for (const { selector } of columns) {
        const value = selector
          .split('.')
          .reduce((at: Record<string, unknown> | null, key: string) => at?.[key] as never, row)
        expect(value, `${selector} of ${path}`).not.toBeUndefined()
      }
    }
  })

  it('lay panels out without overlaps, each with a title and a number of its own', () => {
    const taken = new Set<string>()
    const ids = new Set<number>()
    for (const { id, title, gridPos } of dashboard.panels) {
      expect(title).not.toBe('')
      ids.add(id)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x},${y}`)).toBe(false)
          taken.add(`${x},${y}`)
        }
      }
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
    }
    expect(ids.size).toBe(dashboard.panels.length)
  })

  it('say in every alert what happened', () => {
    expect(prometheusRules.length).toBeGreaterThanOrEqual(5)
    for (const { alert, annotations } of prometheusRules) {
      expect(alert).toMatch(/^Surprisal/)
      expect(annotations).toHaveProperty('summary')
    }
  })
})
