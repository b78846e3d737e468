import { createRequire } from 'node:module'
import { arch, cpus } from 'node:os'
import { SurprisalError } from '../core/errors.ts'
import { tf, useCpu } from '../flow/engine.ts'

/** Backends that run tfjs operations: plain JavaScript, libtensorflow on CPU and on NVIDIA GPUs, WebGPU. */
export type EngineName = 'cpu' | 'node' | 'cuda' | 'webgpu'

export interface StartedEngine {
  /** What tfjs calls the backend. */
  readonly engine: string
  /** The hardware, in words. */
  readonly device: string
  /** `software`: an emulated GPU, right but slower than the CPU it runs on. */
  readonly kind: 'cpu' | 'gpu' | 'software'
  /** GPU generation where it is known: `ampere`, `hopper`. */
  readonly architecture?: string
}

/**
 * tfjs-backend-webgpu's MatMulPackedProgram. What it takes for small products meets at barriers, where a GPU in software
 * changes stacks: 150 ms instead of 1 ms a product on SwiftShader.
 */
const PACKED_MATMUL = 3

const STARTED = new Map<EngineName, Promise<StartedEngine>>()

/**
 * Loads and starts an engine in this process, the first time it is asked for. Dawn lives as long as what `create` of
 * the webgpu package returned: a second start would take its place and, at the next collection, pull the memory from
 * under the first one's device.
 * @throws SurprisalError BACKEND_UNAVAILABLE with what is missing and how to get it
 */
export function startEngine(name: EngineName): Promise<StartedEngine> {
  const started = STARTED.get(name) ?? START[name]()
  STARTED.set(name, started)
  return started
}

const START: { readonly [name in EngineName]: () => Promise<StartedEngine> } = {
  async cpu() {
    await useCpu()
    return { engine: 'cpu', device: `JavaScript on ${processor()}`, kind: 'cpu' }
  },

  async node() {
    const backend = await startTensorflow('@tensorflow/tfjs-node')
    const version = backend.binding?.TF_Version ?? 'unknown version'
    return { engine: 'tensorflow', device: `libtensorflow ${version} on ${processor()}`, kind: 'cpu' }
  },

  async cuda() {
    const backend = await startTensorflow('@tensorflow/tfjs-node-gpu')
    if (!backend.isUsingGpuDevice)
      throw unavailable(
        '@tensorflow/tfjs-node-gpu found no GPU that it can use: it needs CUDA 11.2 and cuDNN 8.1, which know no card newer than Ampere; use webgpu there',
      )
    return { engine: 'tensorflow', device: 'NVIDIA GPU through CUDA', kind: 'gpu' }
  },

  async webgpu() {
    const { create, globals } = await load<WebGpuPackage>('webgpu')
    const gpu = create([])
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
    if (adapter === null)
      throw unavailable('WebGPU finds no adapter: install a Vulkan, Metal or Direct3D 12 driver')
    Object.assign(globalThis, globals)
    const navigator: object | undefined = Reflect.get(globalThis, 'navigator')
    Object.defineProperty(navigator ?? globalThis, navigator ? 'gpu' : 'navigator', {
      value: navigator ? gpu : { gpu },
      configurable: true,
    })
    await load('@tensorflow/tfjs-backend-webgpu')
    if (!(await tf.setBackend('webgpu'))) throw unavailable('tfjs-backend-webgpu does not start')
    const { info } = adapter
    const software = isSoftwareAdapter(info)
    if (software) tf.env().set('WEBGPU_MATMUL_PROGRAM_TYPE', PACKED_MATMUL)
    return {
      engine: 'webgpu',
      device: [info.vendor, info.architecture, info.device, info.description].filter(Boolean).join(' '),
      kind: software ? 'software' : 'gpu',
      architecture: info.architecture,
    }
  },
}

export interface AdapterInfo {
  readonly vendor: string
  readonly architecture: string
  readonly device: string
  readonly description: string
  readonly isFallbackAdapter?: boolean
}

/** Whether an adapter only emulates a GPU: SwiftShader, Mesa's llvmpipe and lavapipe, Microsoft's WARP. */
export function isSoftwareAdapter(info: AdapterInfo): boolean {
  const words = [info.vendor, info.architecture, info.device, info.description].join(' ')
  return (
    info.isFallbackAdapter === true ||
    /swiftshader|subzero|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b|software/i.test(words)
  )
}

interface WebGpuPackage {
  create(options: readonly string[]): {
    requestAdapter(options: object): Promise<{ readonly info: AdapterInfo } | null>
  }
  readonly globals: object
}
interface TensorflowBackend {
  readonly isUsingGpuDevice?: boolean
  readonly binding?: { readonly TF_Version?: string }
}

async function startTensorflow(name: string): Promise<TensorflowBackend> {
  restoreIsNullOrUndefined()
  await load(name)
  if (!(await tf.setBackend('tensorflow'))) throw unavailable(`${name} loads but does not start`)
  return tf.backend() as TensorflowBackend
}

/** tfjs-node 4.22 calls util.isNullOrUndefined, which Node 23 removed. */
function restoreIsNullOrUndefined(): void {
  const util = createRequire(import.meta.url)('node:util')
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined
}

async function load<Package>(name: string): Promise<Package> {
  try {
    return await import(name)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const first = String(message).split('\n')[0]
    const missing = code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${name}'`)
    throw unavailable(
      missing
        ? `the package ${name} is not installed: npm install ${name}`
        : `${name} does not load: ${first}`,
      cause,
    )
  }
}

function processor(): string {
  return `${cpus()[0]?.model.trim() ?? 'unknown CPU'} (${arch()})`
}

function unavailable(message: string, cause?: unknown): SurprisalError {
  return new SurprisalError('BACKEND_UNAVAILABLE', `${message} (docs/gpu.md)`, { cause })
}
