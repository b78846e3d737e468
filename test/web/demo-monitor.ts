import type { DriftReport, Episode, PipelineMonitor, PipelineStatus } from '../../src/core/ports.ts'
import { FIELDS, RATE } from './demo-scores.ts'

export const NOTHING: PipelineMonitor = {
  pipelines: async () => [],
  episodes: async () => [],
  drift: async () => [],
}

/** Three pipelines: one that runs, one in trouble, one that waits for its first model. */
export function monitor(start: number): PipelineMonitor {
  const iso = (back: number) => new Date(start - back).toISOString()
  const base = { since: iso(21_600_000), nominal_rate: RATE, lag: 0, reasons: [] } as const
  const statuses: PipelineStatus[] = [
    {
      ...base,
      name: 'flights',
      state: 'running',
      records_per_second: 1840.2,
      records: 12_000,
      anomalies: 47,
      unscored: 12,
      realised_rate: 0.0039,
      model_version: 2,
      model_created_at: iso(7_400_000),
    },
    {
      ...base,
      name: 'payments',
      state: 'degraded',
      reasons: ['the sink kafka:payments.scored takes 3 s per write, records wait in the source'],
      records_per_second: 12.5,
      lag: 48_211,
      records: 3000,
      anomalies: 9,
      unscored: 3,
      realised_rate: 0.003,
      model_version: 1,
      model_created_at: iso(86_400_000 * 9),
    },
    {
      ...base,
      name: 'sensors',
      state: 'waiting',
      reasons: ['no model yet: 1,204 of the 5,000 records that the first training needs have come'],
      records_per_second: 4,
      lag: null,
      records: 0,
      anomalies: 0,
      unscored: 0,
      nominal_rate: null,
      realised_rate: null,
      model_version: null,
      model_created_at: null,
    },
  ]
  const looks: DriftReport[] = Array.from({ length: 20 }, (_, look) => ({
    from: iso(900_000 * (look + 1)),
    to: iso(900_000 * look),
    records: 5000,
    fields: FIELDS.map((field, i) => {
      const effect = i === 2 ? Math.max(0.02, 0.31 - look * 0.03) : 0.012 + 0.006 * ((i + look) % 4)
      return { field, effect, p: effect > 0.1 ? 1e-9 : 0.2, drifted: effect > 0.1 }
    }).sort((a, b) => b.effect - a.effect),
    triggered: look < 6 ? ['fuel_flow'] : [],
  }))
  const episodes: Episode[] = [
    {
      id: 'e2',
      pipeline: 'flights',
      entity: null,
      started_at: iso(8_200_000),
      ended_at: iso(8_000_000),
      anomalies: 36,
      max_score: 6.9,
      severity: 'critical',
      fields: ['fuel_flow', 'engine_temperature'],
    },
    {
      id: 'e1',
      pipeline: 'flights',
      entity: 'flights-103',
      started_at: iso(600_000),
      ended_at: null,
      anomalies: 4,
      max_score: 3.9,
      severity: 'warning',
      fields: ['heading'],
    },
  ]
  return {
    pipelines: async () => statuses,
    episodes: async (pipeline) => (pipeline === 'flights' ? episodes : []),
    drift: async (pipeline) => (pipeline === 'flights' ? looks : []),
  }
}
