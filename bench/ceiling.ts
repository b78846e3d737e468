import { setFlagsFromString } from 'node:v8'
import asc from 'assemblyscript/asc'

if (Number(process.versions.node.split('.')[0]) < 22) setFlagsFromString('--experimental-wasm-relaxed-simd')

/** Ten independent chains: more than latency × throughput of any processor so far. */
const CHAINS = 10
const STEPS = 200_000

const kernels = new Map<boolean, (steps: number) => number>()
for (const fused of [true, false]) kernels.set(fused, await compile(fused))

/** GFLOP/s of nothing but 128-bit multiply-adds in WebAssembly, fused (relaxed SIMD) or not: what a core can do. */
export function multiplyAddCeiling(fused: boolean): number {
  const run = kernels.get(fused)!
  const start = performance.now()
  run(STEPS)
  return (STEPS * CHAINS * 8) / (performance.now() - start) / 1e6
}

async function compile(fused: boolean): Promise<(steps: number) => number> {
  const step = (a: string): string =>
    fused ? `f32x4.relaxed_madd(x, y, ${a})` : `f32x4.add(f32x4.mul(x, y), ${a})`
  const names = Array.from({ length: CHAINS }, (_, i) => `a${i}`)
  const source = `export function run(steps: i32): f32 {
    const x = f32x4.splat(0.5)
    const y = f32x4.splat(0.25)
    ${names.map((a) => `let ${a} = f32x4.splat(0)`).join('\n')}
    for (let i = 0; i < steps; i++) {
      ${names.map((a) => `${a} = ${step(a)}`).join('\n')}
    }
    return f32x4.extract_lane(${names.reduce((sum, a) => `f32x4.add(${sum}, ${a})`)}, 0)
  }`
  const { binary, error } = await asc.compileString(source, {
    optimizeLevel: 3,
    runtime: 'stub',
    enable: fused ? ['simd', 'relaxed-simd'] : ['simd'],
  })
  if (!binary) throw error ?? new Error('the ceiling does not compile')
  const instance = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(binary)), { env: {} })
  return instance.exports.run as (steps: number) => number
}
