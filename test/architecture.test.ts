import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { packageRoot } from '../src/core/package-root.ts'

/** The layers of docs/ARCHITECTURE.md: a file imports from a lower layer or from its own folder. */
const LAYERS: readonly (readonly [prefix: string, layer: number])[] = [
  ['src/core', 0],
  ['src/flow', 1],
  ['src/kernel', 1],
  ['src/train', 2],
  ['src/features', 2],
  ['src/detect', 3],
  ['connectors', 3],
  ['src/pipeline', 4],
  ['src/retrain', 4],
  ['src/api', 4],
  ['src/report', 4],
  ['src/demo', 4],
  ['config', 5],
  ['src/cli', 7],
  ['src/entries', 7],
  ['src/app', 6],
  ['src/index.ts', 7],
]
/** config joins the option schemas of the connectors and of the parts. connectors import src/core alone. */
const CONNECTORS_MAY_IMPORT = ['src/core', 'connectors']

const EXCLUDED = ['src/kernel/assembly', 'src/web']

function sources(folder: string): string[] {
  return readdirSync(join(packageRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file))
    .filter((file) => !EXCLUDED.some((prefix) => file.startsWith(prefix)))
}

const files = ['src', 'connectors', 'config']
  .filter((folder) => existsSync(join(packageRoot, folder)))
  .flatMap(sources)
const importsOf = (file: string): string[] =>
  [
    ...readFileSync(join(packageRoot, file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g),
  ].map((match) => relative(packageRoot, resolve(packageRoot, dirname(file), match[1])))
const graph = new Map(files.map((file) => [file, importsOf(file)]))
const layerOf = (file: string): number | undefined => LAYERS.find(([prefix]) => file.startsWith(prefix))?.[1]
const folderOf = (file: string): string | undefined => LAYERS.find(([prefix]) => file.startsWith(prefix))?.[0]

describe('the layers', () => {
  it('know every source file', () => {
    expect(files.filter((file) => layerOf(file) === undefined)).toEqual([])
    expect(files.length).toBeGreaterThan(5)
  })

  it('are respected by every import', () => {
    const wrong: string[] = []
    for (const [file, imports] of graph) {
      for (const target of imports) {
        const own = folderOf(file) === folderOf(target)
        if (!own && !(layerOf(target)! < layerOf(file)!)) wrong.push(`${file} → ${target}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('keep connectors to src/core', () => {
    const wrong = [...graph]
      .filter(([file]) => file.startsWith('connectors'))
      .flatMap(([file, imports]) =>
        imports
          .filter((target) => !CONNECTORS_MAY_IMPORT.some((p) => target.startsWith(p)))
          .map((t) => `${file} → ${t}`),
      )
    expect(wrong).toEqual([])
  })

  it('have no cycles', () => {
    const done = new Set<string>()
    const path: string[] = []
    const cycles: string[] = []
    const visit = (file: string): void => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '))
      if (done.has(file) || path.includes(file)) return
      path.push(file)
      for (const target of graph.get(file) ?? []) visit(target)
      path.pop()
      done.add(file)
    }
    for (const file of graph.keys()) visit(file)
    expect(cycles).toEqual([])
  })

  it('stay readable: no file over 250 lines', () => {
    const long = files.filter(
      (file) => readFileSync(join(packageRoot, file), 'utf8').split('\n').length > 251,
    )
    expect(long).toEqual([])
  })
})
