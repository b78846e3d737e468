import { loadPipeline } from '../../../config/load.ts'
import type { PipelineConfig } from '../../../config/pipeline.ts'
import { SurprisalError } from '../../core/errors.ts'
import { ENTITY_ALARMS, type EntityWatchOptions } from '../../detect/entities/entity-watch.ts'
import { blamingRule, type SuppressionRule } from '../../detect/rules/suppression.ts'

/** What a pipeline file says of scores and alarms, for records that are scored outside the pipeline. */
export interface AlertRules {
  readonly time?: string
  readonly entity?: string
  readonly rate?: number
  readonly redact: readonly string[]
  readonly suppress: readonly SuppressionRule[]
  readonly watch: EntityWatchOptions
}

/** Throws what reading a pipeline file throws. */
export function alertRules(path: string): AlertRules {
  return alertRulesOf(loadPipeline(path))
}

export function alertRulesOf({ alerts, features }: PipelineConfig): AlertRules {
  const { time, entity, redact } = features
  const { rate, suppress } = alerts
  return {
    ...(time !== undefined && { time }),
    ...(entity !== undefined && { entity }),
    ...(rate !== undefined && { rate }),
    redact,
    suppress,
    watch: watchOptions(alerts),
  }
}

export function watchOptions({ watch }: PipelineConfig['alerts']): EntityWatchOptions {
  const { rate, entities, ...kinds } = watch
  return { rate, entities, kinds: ENTITY_ALARMS.filter((kind) => kinds[kind]) }
}

/** Throws USAGE where a rule goes by the field to blame and nothing is explained. */
export function requireExplained(suppress: readonly SuppressionRule[], explain: boolean): void {
  const rule = explain ? undefined : blamingRule(suppress)
  if (rule !== undefined)
    throw new SurprisalError(
      'USAGE',
      `suppression rule "${rule.name}" goes by the field to blame, which --no-explain leaves out: give up one of them`,
    )
}
