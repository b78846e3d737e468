// Writes docs/errors.md from the table in src/core/errors.ts. Run after `npm run build`.
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { errorsMarkdown } = await import(join(root, 'dist', 'src', 'core', 'errors-markdown.js'))
writeFileSync(join(root, 'docs', 'errors.md'), errorsMarkdown())
