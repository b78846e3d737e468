import { alternatives, type JsonSchema, pipelineJsonSchema } from './json-schema.ts'

const INTRODUCTION = `# Configuration

<!-- Written by scripts/write-config-docs.mjs from config/; a test keeps it equal. -->

A pipeline is one YAML file. \`surprisal init\` writes one from a sample, \`surprisal lint\` checks it, and
[config/schema.json](../config/schema.json) tells editors about it. Put this in the first line for completion:

\`\`\`yaml
# yaml-language-server: $schema=node_modules/surprisal/config/schema.json
\`\`\`

- **Precedence**: defaults < file < environment < flags. \`SURPRISAL_ALERTS__RATE=0.01\` sets \`alerts.rate\` (two
  underscores between levels; under \`kafka\` an underscore stands for a dot); \`--set alerts.rate=0.01\` does too.
- **Variables**: \`\${VAR}\` and \`\${VAR:default}\` are replaced in every text; \`$\${\` stands for a plain \`\${\`.
- **Secrets**: \`password\`, \`url\`, \`token\`, \`username\`, \`sasl.password\`, \`sasl.username\` and \`ssl.key.password\` may
  be written as \`<name>_file: path\`; the file's content is the value.
- **An unknown setting** is an error with its line and what was probably meant.
`

/** docs/configuration.md: every setting with its type, default and meaning. */
export function configurationMarkdown(): string {
  const { properties = {}, required = [] } = pipelineJsonSchema()
  const sections = Object.entries(properties).map(([name, schema]) =>
    section(name, schema, required.includes(name)),
  )
  return `${[INTRODUCTION, ...sections].join('\n')}`
}

function section(name: string, schema: JsonSchema, required: boolean): string {
  const heading = `## ${name}\n\n${sentence(schema.description)}${required ? ' Required.' : ''}\n`
  const inner = schema.type === 'array' ? (schema.items ?? {}) : schema
  const variants = alternatives(inner)
  if (variants.length > 1 || variants[0].properties?.type?.const !== undefined)
    return [
      heading,
      ...variants.map((variant) => `### type: ${variant.properties?.type?.const}\n\n${table(variant)}`),
    ].join('\n')
  if (inner.properties === undefined) return `${heading}\n${typeOf(inner)}${defaultOf(inner)}\n`
  return `${heading}\n${table(inner)}`
}

function table(schema: JsonSchema): string {
  const rows = settings(schema, '')
  if (rows.length === 0) return 'No settings.\n'
  return `| setting | type | default | meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`
}

function settings(schema: JsonSchema, prefix: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, value]) => {
    if (name === 'type' && value.const !== undefined) return []
    const path = `${prefix}${name}`
    if (value.properties !== undefined) return settings(value, `${path}.`)
    const required = schema.required?.includes(name) ? '**required**' : shown(value.default)
    return [
      `| \`${path}\` | ${cell(typeOf(value))} | ${cell(required)} | ${cell(sentence(value.description))} |`,
    ]
  })
}

function typeOf(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ')
  if (schema.const !== undefined) return `\`${schema.const}\``
  if (schema.anyOf ?? schema.oneOf) return alternatives(schema).map(typeOf).join(' or ')
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}`
  if (schema.type === 'object' && typeof schema.additionalProperties === 'object')
    return `map to ${typeOf(schema.additionalProperties)}`
  return schema.type === undefined ? 'any' : [schema.type].flat().join(' or ')
}

function defaultOf(schema: JsonSchema): string {
  return schema.default === undefined ? '' : `, default ${shown(schema.default)}`
}

function shown(value: unknown): string {
  return value === undefined ? '' : `\`${JSON.stringify(value)}\``
}

function sentence(text = ''): string {
  if (text === '') return ''
  const capital = text[0].toUpperCase() + text.slice(1)
  return /[.!?)]$/.test(capital) ? capital : `${capital}.`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
