import { parse } from 'yaml'
import { SurprisalError } from '../src/core/errors.ts'
import type { JsonSchema } from './json-schema.ts'
import type { Environment } from './substitute.ts'

const PREFIX = 'SURPRISAL_'

/**
 * `SURPRISAL_ALERTS__RATE=0.01` sets alerts.rate: levels are separated by two underscores, values are read as YAML.
 * Under `kafka` an underscore stands for a dot (`…__KAFKA__BOOTSTRAP_SERVERS`). Variables whose first level is no
 * section of the pipeline file are none of its business.
 */
export function environmentOverrides(environment: Environment, schema: JsonSchema): Record<string, unknown> {
  let result: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || value === undefined) continue
    const levels = name.slice(PREFIX.length).toLowerCase().split('__')
    if (schema.properties?.[levels[0]] === undefined) continue
    const path = levels.map((level, i) => (levels[i - 1] === 'kafka' ? level.replaceAll('_', '.') : level))
    result = merge(result, nested(path, parse(value))) as Record<string, unknown>
  }
  return result
}

/** `alerts.rate=0.01`; a backslash keeps a dot (`source.kafka.bootstrap\.servers=…`). USAGE where there is no `=`. */
export function flagOverrides(set: readonly string[]): Record<string, unknown> {
  let result: Record<string, unknown> = {}
  for (const text of set) {
    const at = text.indexOf('=')
    if (at < 1)
      throw new SurprisalError('USAGE', `--set ${text}: expected setting=value, as in alerts.rate=0.01`)
    const path = text
      .slice(0, at)
      .split(/(?<!\\)\./)
      .map((level) => level.replaceAll('\\.', '.'))
    result = merge(result, nested(path, parse(text.slice(at + 1)))) as Record<string, unknown>
  }
  return result
}

function nested(path: readonly string[], value: unknown): Record<string, unknown> {
  return path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Record<string, unknown>
}

/** `over` laid on `under`: maps merge; in a list, a map with numbers for keys replaces those items; the rest replaces. */
export function merge(under: unknown, over: unknown): unknown {
  if (!isRecord(over)) return over
  if (Array.isArray(under)) {
    const items = [...under]
    for (const [key, value] of Object.entries(over)) items[Number(key)] = merge(items[Number(key)], value)
    return items
  }
  const result: Record<string, unknown> = isRecord(under) ? { ...under } : {}
  for (const [key, value] of Object.entries(over))
    Object.defineProperty(result, key, {
      value: merge(Object.hasOwn(result, key) ? result[key] : undefined, value),
      enumerable: true,
      configurable: true,
      writable: true,
    })
  return result
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
