// Builds dist/: the WebAssembly kernels, the compiled TypeScript, the page. `npm ci` runs it through `prepare`.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs'
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

if (process.argv.includes('--clean')) rmSync('dist', { recursive: true, force: true })
mkdirSync('dist/assets', { recursive: true })

const kernel = 'src/kernel/assembly/index.ts'
if (existsSync(kernel)) {
  const flags = [
    '-O3',
    '--noAssert',
    '--runtime',
    'stub',
    '--enable',
    'simd',
    '--importMemory',
    '--sharedMemory',
    '--enable',
    'threads',
    '--maximumMemory',
    '16384',
    '--initialMemory',
    '1',
  ]
  run(bin('asc'), [kernel, ...flags, '--use', 'RELAXED=0', '-o', 'dist/assets/kernel-simd.wasm'])
  run(bin('asc'), [
    kernel,
    ...flags,
    '--use',
    'RELAXED=1',
    '--enable',
    'relaxed-simd',
    '-o',
    'dist/assets/kernel-relaxed.wasm',
  ])
}
run(bin('tsc'), ['-p', 'tsconfig.json'])
if (existsSync('dist/src/cli/main.js')) chmodSync('dist/src/cli/main.js', 0o755)
if (existsSync('src/web/build.mjs')) run(process.execPath, ['src/web/build.mjs'])
process.exit(failed ? 1 : 0)
