import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { PipelineMetrics } from '../../src/pipeline/metrics.ts'

it('has every counter at zero before the first record, so that increase() sees the first step', async () => {
  const registry = new Registry()
  new PipelineMetrics(registry, 'orders')
  const text = await registry.metrics()
  for (const verdict of ['normal', 'anomaly', 'unscored'])
    expect(text).toContain(`surprisal_records_total{pipeline="orders",verdict="${verdict}"} 0`)
  for (const severity of ['warning', 'minor', 'major', 'critical'])
    expect(text).toContain(`surprisal_anomalies_total{pipeline="orders",severity="${severity}"} 0`)
  expect(text).toContain('surprisal_dead_letters_total{pipeline="orders"} 0')
  expect(text).toContain('surprisal_suppressed_total{pipeline="orders"} 0')
})
