import { z } from 'zod'
import { pipelineSchema } from './pipeline.ts'
import { SECRETS } from './secrets.ts'

/** The parts of JSON Schema that the configuration uses. */
export interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly description?: string
  readonly default?: unknown
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly additionalProperties?: boolean | JsonSchema
  readonly required?: readonly string[]
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
}

/** A pipeline file as JSON Schema (draft 2020-12), for editors and for other tools. */
export function pipelineJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(pipelineSchema, { io: 'input', unrepresentable: 'any' })
  return { ...allowSecretFiles(schema as JsonSchema), description: 'A pipeline of Surprisal' }
}

/** `<secret>_file` beside every secret, either of which may be given. */
function allowSecretFiles(schema: JsonSchema): JsonSchema {
  const { properties, items, anyOf, oneOf, required } = schema
  const walked: JsonSchema = {
    ...schema,
    ...(items && { items: allowSecretFiles(items) }),
    ...(anyOf && { anyOf: anyOf.map(allowSecretFiles) }),
    ...(oneOf && { oneOf: oneOf.map(allowSecretFiles) }),
  }
  if (properties === undefined) return walked
  const entries = Object.entries(properties).map(([name, value]) => [name, allowSecretFiles(value)] as const)
  const files = SECRETS.filter((name) => properties[name] && !properties[`${name}_file`]).map(
    (name) => [`${name}_file`, { type: 'string', description: `A file that holds ${name}.` }] as const,
  )
  const secret = (name: string) => (SECRETS as readonly string[]).includes(name)
  return {
    ...walked,
    properties: Object.fromEntries([...entries, ...files]),
    ...(required && { required: required.filter((name) => !secret(name)) }),
  }
}

/**
 * The schema at a path of a value; of alternatives, the one whose `type` is the value's. Undefined where the path
 * leaves the schema.
 */
export function schemaAt(
  schema: JsonSchema,
  value: unknown,
  path: readonly PropertyKey[],
): JsonSchema | undefined {
  const chosen = choose(schema, value)
  const [key, ...rest] = path
  if (key === undefined) return chosen
  const inner = typeof key === 'number' ? chosen.items : chosen.properties?.[String(key)]
  if (inner === undefined) return undefined
  return schemaAt(inner, (value as Record<PropertyKey, unknown> | null | undefined)?.[key], rest)
}

/** The alternatives of a schema, itself where it has none. */
export function alternatives(schema: JsonSchema): readonly JsonSchema[] {
  return schema.oneOf ?? schema.anyOf ?? [schema]
}

function choose(schema: JsonSchema, value: unknown): JsonSchema {
  const type = (value as { type?: unknown } | null | undefined)?.type
  return alternatives(schema).find(({ properties }) => properties?.type?.const === type) ?? schema
}
