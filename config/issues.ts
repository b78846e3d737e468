import type { z } from 'zod'
import { closest } from '../src/core/suggest.ts'
import { alternatives, type JsonSchema, schemaAt } from './json-schema.ts'

export interface ConfigIssue {
  readonly path: readonly PropertyKey[]
  /** The key of `path` itself is at fault, not its value. */
  readonly atKey: boolean
  readonly message: string
}

/** What is wrong with a value, for people: the setting, the rule, and what was probably meant. */
export function explainIssues(error: z.ZodError, value: unknown, schema: JsonSchema): ConfigIssue[] {
  return error.issues.flatMap((issue): ConfigIssue[] => {
    if (issue.code === 'unrecognized_keys' && issue.message.startsWith('Unrecognized key')) {
      const known = Object.keys(schemaAt(schema, value, issue.path)?.properties ?? {})
      return issue.keys.map((key) => ({
        path: [...issue.path, key],
        atKey: true,
        message: unknownKey(key, known),
      }))
    }
    if (issue.code === 'unrecognized_keys')
      return [{ path: [...issue.path, issue.keys[0]], atKey: true, message: issue.message }]
    return [{ path: issue.path, atKey: false, message: explain(issue, value, schema) }]
  })
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = closest(key, known)
  return `unknown setting; ${near === undefined ? `known here: ${known.join(', ')}` : `did you mean "${near}"?`}`
}

function explain(issue: z.core.$ZodIssue, value: unknown, schema: JsonSchema): string {
  const given = valueAt(value, issue.path)
  if (given === undefined && issue.code === 'invalid_type') return 'is missing'
  if (issue.code === 'invalid_union' && 'discriminator' in issue) {
    const parent = schemaAt(schema, value, issue.path.slice(0, -1))
    const types =
      parent === undefined ? [] : alternatives(parent).map((a) => String(a.properties?.type?.const))
    if (given === undefined) return `is missing; one of ${types.join(', ')}`
    const near = closest(String(given), types)
    return `${JSON.stringify(given)} is not one of ${types.join(', ')}${near === undefined ? '' : `; did you mean "${near}"?`}`
  }
  if (issue.code === 'invalid_value') {
    const options = issue.values.map(String)
    const near = closest(String(given), options)
    return `${JSON.stringify(given)} is not one of ${options.join(', ')}${near === undefined ? '' : `; did you mean "${near}"?`}`
  }
  return `${JSON.stringify(given)} is refused: ${issue.message}`
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown> | null | undefined)?.[key],
    value,
  )
}
