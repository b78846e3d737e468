// Writes config/schema.json and docs/configuration.md from the schema in config/. Run after `npm run build`.
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const built = (file) => import(join(root, 'dist', 'config', file))
const { pipelineJsonSchema } = await built('json-schema.js')
const { configurationMarkdown } = await built('markdown.js')
writeFileSync(join(root, 'config', 'schema.json'), `${JSON.stringify(pipelineJsonSchema(), null, 2)}\n`)
writeFileSync(join(root, 'docs', 'configuration.md'), configurationMarkdown())
