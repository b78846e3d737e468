import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { transform } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { packageRoot } from '../../src/core/package-root.ts'

const folder = join(packageRoot, 'docs', 'examples')
const built = join(packageRoot, 'dist', 'examples')
mkdirSync(built, { recursive: true })

/** Runs an example against the built package, as its reader would. */
async function output(name: string): Promise<string> {
  const { code } = await transform(await readFile(join(folder, name), 'utf8'), {
    loader: 'ts',
    format: 'esm',
  })
  const file = join(built, name.replace('.ts', '.mjs'))
  await writeFile(file, code)
  return (await promisify(execFile)(process.execPath, [file], { cwd: packageRoot })).stdout
}

const EXPECTED: Readonly<Record<string, readonly RegExp[]>> = {
  'fit-and-score.ts': [/^normal/, /\nanomaly .* (minutes|kilometres)/, /field: '(minutes|kilometres)'/],
  'stream.ts': [/through a pipeline: \[.*'record-250'/s, /through an iterator: record-250/],
  'model-file.ts': [/amount: numeric/, /anomaly \[.*currency: was always 'EUR', is 'USD'/],
}

describe('the examples under docs/', () => {
  it('are all expected here', () => {
    expect(readdirSync(folder).sort()).toEqual(Object.keys(EXPECTED).sort())
  })
  it('compile with the strictest types and no setting beyond them', { timeout: 60_000 }, async () => {
    const flags = '--noEmit --strict --module nodenext --target es2022 --lib es2022 --skipLibCheck false'
    const files = Object.keys(EXPECTED).map((name) => join(folder, name))
    const typescript = join(packageRoot, 'node_modules', '.bin', 'tsc')
    const compiled = promisify(execFile)(typescript, [...flags.split(' '), '--ignoreConfig', ...files], {
      cwd: packageRoot,
    })
    await expect(compiled.then(({ stdout }) => stdout)).resolves.toBe('')
  })
  it.each(Object.entries(EXPECTED))('run: %s', { timeout: 120_000 }, async (name, patterns) => {
    const text = await output(name)
    for (const pattern of patterns) expect(text).toMatch(pattern)
  })
})
