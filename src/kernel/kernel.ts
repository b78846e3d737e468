import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { SurprisalError } from '../core/errors.ts'
import { assetPath } from '../core/package-root.ts'
import { Arena } from './arena.ts'

export type KernelVariant = 'relaxed-simd' | 'simd'

/** What src/kernel/assembly exports. Addresses are bytes in the kernel's memory. */
export interface KernelExports {
  heapBase(): number
  scratchBytes(program: number): number
  score(
    program: number,
    x: number,
    context: number,
    rows: number,
    constant: number,
    out: number,
    latents: number,
    scratch: number,
  ): void
  mixtureScratchBytes(program: number): number
  weakest(program: number, x: number, fill: number, rows: number, out: number, scratch: number): void
  trainingScratchBytes(program: number): number
  gradient(program: number, x: number, context: number, rows: number, delta: number, scratch: number): number
  evaluate(
    program: number,
    x: number,
    context: number,
    rows: number,
    constant: number,
    out: number,
    scratch: number,
  ): void
  transform(
    program: number,
    first: number,
    last: number,
    x: number,
    context: number,
    rows: number,
    out: number,
    scratch: number,
  ): void
  finishGradient(program: number, operations: number, rows: number, delta: number): void
  refresh(program: number, operation: number): number
  sumGradients(gradient: number, count: number, parts: number, bytes: number): number
  adam(
    parameters: number,
    gradient: number,
    moment1: number,
    moment2: number,
    count: number,
    scale: number,
    rate: number,
    correction: number,
    beta1: number,
    rest1: number,
    beta2: number,
    rest2: number,
    epsilon: number,
  ): void
}

const PAGE = 65_536
const MAXIMUM_PAGES = 16_384
const FILES: Readonly<Record<KernelVariant, string>> = {
  'relaxed-simd': 'kernel-relaxed.wasm',
  simd: 'kernel-simd.wasm',
}

/** The fused WebAssembly kernel: one instance and one memory, used by one thread at a time. */
export class Kernel {
  readonly variant: KernelVariant
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  readonly exports: KernelExports
  readonly arena: Arena

  /** With `memory`, the kernel works in a memory that another thread owns and allocates in. */
  constructor(variant: KernelVariant, module: WebAssembly.Module, memory?: WebAssembly.Memory) {
    this.variant = variant
    this.module = module
    this.memory = memory ?? new WebAssembly.Memory({ initial: 1, maximum: MAXIMUM_PAGES, shared: true })
    const instance = new WebAssembly.Instance(module, { env: { memory: this.memory, abort: unreachable } })
    this.exports = instance.exports as unknown as KernelExports
    this.arena = new Arena(this.memory, this.exports.heapBase(), MAXIMUM_PAGES * PAGE)
  }

  floats(address: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, length)
  }
  bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, length)
  }
  doubles(address: number, length: number): Float64Array {
    return new Float64Array(this.memory.buffer, address, length)
  }
  words(address: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, address, length)
  }
}

const loaded = new Map<KernelVariant, Kernel>()

/**
 * The kernel of this thread, compiled at the first call: relaxed SIMD (fused multiply-add) where the engine has it,
 * else plain SIMD; `relaxed: false` asks for plain SIMD, whose bits are the same on every processor.
 * Throws BACKEND_UNAVAILABLE where WebAssembly SIMD or the built kernels are missing.
 */
export function loadKernel(options: { readonly relaxed?: boolean } = {}): Kernel {
  const wanted: readonly KernelVariant[] = options.relaxed === false ? ['simd'] : ['relaxed-simd', 'simd']
  for (const variant of wanted) {
    const known = loaded.get(variant)
    if (known) return known
    const bytes = readKernel(FILES[variant])
    if (!validates(bytes, variant)) continue
    const kernel = new Kernel(variant, new WebAssembly.Module(bytes))
    loaded.set(variant, kernel)
    return kernel
  }
  throw new SurprisalError(
    'BACKEND_UNAVAILABLE',
    `this JavaScript engine (Node ${process.version}) refuses WebAssembly SIMD, which the kernel needs: ` +
      'run on a 64-bit processor with SSE4.1 or NEON, or choose the backend cpu',
  )
}

/** Node 20 has relaxed SIMD behind a flag that may be set at run time, before the first look at such a module. */
function validates(bytes: Uint8Array<ArrayBuffer>, variant: KernelVariant): boolean {
  const major = Number(process.versions.node.split('.')[0])
  if (variant === 'relaxed-simd' && major < 22) setFlagsFromString('--experimental-wasm-relaxed-simd')
  return WebAssembly.validate(bytes)
}

function readKernel(file: string): Uint8Array<ArrayBuffer> {
  try {
    return readFileSync(assetPath(file))
  } catch (cause) {
    throw new SurprisalError(
      'BACKEND_UNAVAILABLE',
      `${assetPath(file)} cannot be read: the package is not built (npm run build)`,
      { cause },
    )
  }
}

function unreachable(): never {
  throw new SurprisalError('INTERNAL', 'the kernel met an operation that it does not know')
}
