import { Cron } from 'croner'
import type { PipelineConfig } from '../../../config/pipeline.ts'
import type { ColumnOverride, Overrides } from '../../features/profile/profile.ts'
import type { WindowOptions } from '../../features/windows/window-plan.ts'
import { windowField } from '../../features/windows/window-terms.ts'
import type { RetrainPlan } from '../../retrain/retrain-handler.ts'
import type { TimeRange } from '../../retrain/training-window.ts'
import type { ConnectedSource } from '../stream/connect-stream.ts'

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/** Milliseconds of a duration such as 12h, 30d or 8w. */
export function durationMs(text: string): number {
  return Number.parseFloat(text) * UNIT_MS[text.at(-1) as keyof typeof UNIT_MS]
}

/** How a pipeline file says that its model is to be learned. */
export function retrainPlan(config: PipelineConfig, source: ConnectedSource): RetrainPlan {
  const { alerts, features, model, retrain } = config
  return {
    window: (signal) => source.window(windowStart(config), signal),
    source: source.description,
    minimumRecords: retrain.min_records,
    excluded: excludedTimes(retrain, windowStart(config), Date.now()),
    promote: retrain.promote,
    warmStart: retrain.warm_start,
    excludeAnomalies: retrain.exclude_anomalies,
    fit: {
      flow: model.flow,
      seed: model.seed,
      backend: model.backend,
      contamination: model.contamination,
      maxRows: model.max_rows,
      effort: model.effort,
      ignore: features.ignore,
      overrides: overridesOf(features),
      windows: windowsOf(features),
      ...(features.time !== undefined && { time: features.time }),
      ...(features.entity !== undefined && { entity: features.entity }),
      ...(alerts.rate !== undefined && { rate: alerts.rate }),
      ...(alerts.budget !== undefined && { budget: alerts.budget }),
    },
  }
}

export function windowStart({ retrain }: PipelineConfig): number {
  return Date.now() - durationMs(retrain.window)
}

/** The exclusions of a pipeline file as times, those that recur for every time that they touch [from, to). */
export function excludedTimes(
  { exclude, timezone }: Pick<PipelineConfig['retrain'], 'exclude' | 'timezone'>,
  from: number,
  to: number,
): TimeRange[] {
  return exclude.flatMap((rule) => {
    const why = rule.why === undefined ? {} : { why: rule.why }
    if ('from' in rule) return [{ from: Date.parse(rule.from), to: Date.parse(rule.to), ...why }]
    const cron = new Cron(rule.cron, { timezone, paused: true })
    const length = durationMs(rule.duration)
    const ranges: TimeRange[] = []
    let begins = cron.nextRun(new Date(from - length))
    while (begins !== null && begins.getTime() < to) {
      ranges.push({ from: begins.getTime(), to: begins.getTime() + length, ...why })
      begins = cron.nextRun(begins)
    }
    return ranges
  })
}

function overridesOf({ columns, context }: PipelineConfig['features']): Overrides {
  const overrides: Record<string, ColumnOverride> = Object.fromEntries(
    Object.entries(columns).map(([name, kind]) => [name, { kind }]),
  )
  for (const name of context) overrides[name] = { ...overrides[name], context: true }
  return overrides
}

function windowsOf({ windows }: PipelineConfig['features']): WindowOptions {
  const { fields, since_previous: sincePrevious, clock, entities, late } = windows
  return {
    fields: Object.entries(fields).map(([field, terms]) => windowField(field, terms)),
    sincePrevious,
    clock,
    entities,
    late,
  }
}
