// Builds dist/: the WebAssembly kernels, the compiled TypeScript, the page. `npm ci` runs it through `prepare`.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
process.chdir(root)
const bin = (name) => join(root, 'node_modules', '.bin', name)
let failed = false

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' })
  if (error) throw error
  if (status !== 0) failed = true
}

/** The file is there and younger than this script and everything in the folder: compiling it again is waste. */
function isNewer(file, folder) {
  if (!existsSync(file)) return false
  const sources = [...readdirSync(folder).map((name) => join(folder, name)), fileURLToPath(import.meta.url)]
  return sources.every((source) => statSync(source).mtimeMs < statSync(file).mtimeMs)
}

if (process.argv.includes('--clean')) rmSync('dist', { recursive: true, force: true })
mkdirSync('dist/assets', { recursive: true })

const kernel = 'src/kernel/assembly'
const flags =
  '-O3 --noAssert --runtime stub --importMemory --sharedMemory --initialMemory 1 --maximumMemory 16384 --enable simd --enable threads'
for (const [variant, relaxed] of [
  ['simd', 0],
  ['relaxed', 1],
]) {
  const out = `dist/assets/kernel-${variant}.wasm`
  if (isNewer(out, kernel)) continue
  const own = relaxed ? ['--enable', 'relaxed-simd'] : []
  run(bin('asc'), [
    join(kernel, 'index.ts'),
    ...flags.split(' '),
    ...own,
    '--use',
    `RELAXED=${relaxed}`,
    '-o',
    out,
  ])
}
run(bin('tsc'), ['-p', 'tsconfig.json'])
if (existsSync('dist/src/cli/main.js')) chmodSync('dist/src/cli/main.js', 0o755)
if (existsSync('src/web/build.mjs')) run(process.execPath, ['src/web/build.mjs'])
process.exit(failed ? 1 : 0)
