import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pipelineJsonSchema } from '../../config/json-schema.ts'
import { loadPipeline } from '../../config/load.ts'
import { configurationMarkdown } from '../../config/markdown.ts'
import { packageRoot } from '../../src/core/package-root.ts'

const WRITE = 'run: npm run build && node scripts/write-config-docs.mjs'

describe('the published schema', () => {
  it('is config/schema.json', () => {
    const file = JSON.parse(readFileSync(join(packageRoot, 'config', 'schema.json'), 'utf8'))
    expect(file, WRITE).toEqual(JSON.parse(JSON.stringify(pipelineJsonSchema())))
  })

  it('is docs/configuration.md', () => {
    expect(readFileSync(join(packageRoot, 'docs', 'configuration.md'), 'utf8'), WRITE).toBe(
      configurationMarkdown(),
    )
  })

  it('describes every section', () => {
    for (const [name, section] of Object.entries(pipelineJsonSchema().properties ?? {}))
      expect(section.description, name).toBeTruthy()
  })
})

describe('the examples', () => {
  const folder = join(packageRoot, 'config', 'examples')
  const secrets = mkdtempSync(join(tmpdir(), 'surprisal-secrets-'))
  mkdirSync(secrets, { recursive: true })
  writeFileSync(join(secrets, 'postgres-url'), 'postgresql://surprisal@db/scores\n')

  it.each(readdirSync(folder))('%s is valid', (file) => {
    const config = loadPipeline(join(folder, file), { environment: { SECRETS: secrets } })
    expect(config.name).toMatch(/^[a-z]/)
  })
})
