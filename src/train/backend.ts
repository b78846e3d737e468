import { SurprisalError } from '../core/errors.ts'
import type { FlowSpec, FlowWeights } from '../core/flow-spec.ts'
import { type EngineName, type StartedEngine, startEngine } from './engines.ts'
import { type Probed, probeEngine } from './probe.ts'
import type { AdamOptions, FlowTrainer } from './trainer.ts'

export const BACKENDS = ['kernel', 'cpu', 'node', 'cuda', 'webgpu'] as const
export type BackendName = (typeof BACKENDS)[number]

export interface BackendReport {
  readonly name: BackendName
  readonly available: boolean
  /** The hardware, in words; null where the backend does not start. */
  readonly device: string | null
  /** Why it is not available, or what to know about it. */
  readonly reason: string
}

export interface BackendOptions {
  /** Lets `webgpu` run on an emulated GPU (SwiftShader, llvmpipe), for checks. Never chosen by `auto`. */
  readonly allowSoftware?: boolean
  /** For each probe. Default 20,000 ms: loading libtensorflow from a cold disk takes seconds. */
  readonly timeoutMs?: number
  /** Replaces the probes (tests). */
  readonly probe?: (name: EngineName, timeoutMs: number) => Promise<Probed>
}

/** The size of one optimiser step: records in a batch, numbers that it changes. */
export interface StepSize {
  readonly batch: number
  readonly parameters: number
}

export interface BackendChoice {
  readonly name: BackendName
  /** For the job's log: why this one. */
  readonly reason: string
  create(spec: FlowSpec, weights: FlowWeights, adam?: AdamOptions): Promise<FlowTrainer>
}

/**
 * A step on a GPU costs some 1,500 kernel launches whatever its size, tens of milliseconds; the fused kernel does a
 * batch × parameters of 8e9 per second and core. Below this product a GPU cannot win.
 */
export const GPU_PAYS_FROM = 5e8
const TIMEOUT_MS = 20_000
/** What CUDA 11.2, which tfjs-node-gpu is built for, can drive. */
const CUDA_11_ARCHITECTURES = ['kepler', 'maxwell', 'pascal', 'volta', 'turing', 'ampere']

/**
 * Picks a backend. `auto` is the kernel, or a real GPU where the step is large enough to pay for it.
 * @throws SurprisalError BACKEND_UNAVAILABLE where the one asked for does not start
 */
export async function chooseBackend(
  requested: BackendName | 'auto',
  size: StepSize,
  options: BackendOptions = {},
): Promise<BackendChoice> {
  if (requested === 'auto') return chooseForSize(size, options)
  if (requested === 'kernel') return kernelChoice('asked for')
  const probed = await probe(requested, options)
  if ('reason' in probed)
    throw new SurprisalError(
      'BACKEND_UNAVAILABLE',
      `backend '${requested}' does not start: ${probed.reason}; 'auto' always finds one that does`,
    )
  const { started } = probed
  if (started.kind === 'software' && !options.allowSoftware)
    throw new SurprisalError(
      'BACKEND_UNAVAILABLE',
      `backend '${requested}' would run on ${started.device}, which emulates a GPU on the CPU: use 'kernel', or set allowSoftware to check results`,
    )
  return engineChoice(requested, `asked for; runs on ${started.device}`)
}

/** What every backend says on this machine, for `surprisal doctor`. */
export async function describeBackends(options: BackendOptions = {}): Promise<readonly BackendReport[]> {
  return Promise.all(
    BACKENDS.map(async (name): Promise<BackendReport> => {
      if (name === 'kernel')
        return { name, available: true, device: 'WebAssembly SIMD on this CPU', reason: 'the default' }
      const probed = await probe(name, options)
      if ('reason' in probed) return { name, available: false, device: null, reason: probed.reason }
      const { started } = probed
      if (started.kind !== 'software')
        return { name, available: true, device: started.device, reason: remark(name, started) }
      return {
        name,
        available: options.allowSoftware === true,
        device: started.device,
        reason: 'an emulated GPU: right, but slower than the kernel; runs only where allowSoftware is set',
      }
    }),
  )
}

async function chooseForSize(size: StepSize, options: BackendOptions): Promise<BackendChoice> {
  const work = size.batch * size.parameters
  if (work < GPU_PAYS_FROM) return kernelChoice(`${countOf(size)} are too little work for a GPU to pay`)
  const webgpu = await probe('webgpu', options)
  const real = 'started' in webgpu && webgpu.started.kind === 'gpu' ? webgpu.started : undefined
  const cudaFits = real === undefined || CUDA_11_ARCHITECTURES.includes(real.architecture ?? '')
  const cuda: Probed = cudaFits
    ? await probe('cuda', options)
    : { reason: `no CUDA 11.2 for ${real?.device}` }
  if ('started' in cuda) return engineChoice('cuda', `${countOf(size)} pay for ${cuda.started.device}`)
  if (real) return engineChoice('webgpu', `${countOf(size)} pay for ${real.device}`)
  const emulated = 'started' in webgpu ? `${webgpu.started.device} only emulates a GPU` : webgpu.reason
  return kernelChoice(`no GPU: webgpu: ${emulated}; cuda: ${cuda.reason}`)
}

function kernelChoice(reason: string): BackendChoice {
  return {
    name: 'kernel',
    reason,
    async create(spec, weights, adam) {
      const { KernelTrainer } = await import('./kernel-trainer.ts')
      return KernelTrainer.create(spec, weights, adam && { adam })
    },
  }
}

function engineChoice(name: EngineName, reason: string): BackendChoice {
  return {
    name,
    reason,
    async create(spec, weights, adam) {
      const { engine } = await startEngine(name)
      const { TfjsTrainer } = await import('./tfjs-trainer.ts')
      return TfjsTrainer.create({ spec, weights, engine, name, ...(adam && { adam }) })
    },
  }
}

function probe(name: EngineName, options: BackendOptions): Promise<Probed> {
  return (options.probe ?? probeEngine)(name, options.timeoutMs ?? TIMEOUT_MS)
}

function remark(name: EngineName, { kind }: StartedEngine): string {
  if (kind === 'gpu') return 'a real GPU: auto takes it for large models'
  return name === 'cpu' ? 'the reference, slow: for checks' : 'slower than the kernel: for checks'
}

function countOf({ batch, parameters }: StepSize): string {
  return `${batch} records × ${parameters} parameters a step`
}
