// Bundles the page into dist/assets/web: hashed script and style, index.html, icon. scripts/build.mjs calls it.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const target = join(here, '..', '..', 'dist', 'assets', 'web')

const { outputFiles } = await build({
  entryPoints: [join(here, 'main.tsx'), join(here, 'style.css')],
  entryNames: '[name]-[hash]',
  outdir: target,
  bundle: true,
  minify: true,
  write: false,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
})
mkdirSync(target, { recursive: true })
const wanted = new Map(outputFiles.map((file) => [basename(file.path), file.contents]))
const named = (ending) => [...wanted.keys()].find((name) => name.endsWith(ending))
const html = readFileSync(join(here, 'index.html'), 'utf8')
wanted.set('index.html', html.replace('{{style}}', named('.css')).replace('{{script}}', named('.js')))
wanted.set('icon.svg', readFileSync(join(here, 'icon.svg')))
for (const old of readdirSync(target)) if (!wanted.has(old)) rmSync(join(target, old))
for (const [name, contents] of wanted) writeFileSync(join(target, name), contents)
