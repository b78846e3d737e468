import { describe, expect, it } from 'vitest'
import { isSurprisalError } from '../../src/core/errors.ts'
import { realNvp } from '../../src/flow/architectures.ts'
import { initialWeights } from '../../src/flow/weights.ts'
import { BACKENDS, chooseBackend, describeBackends, GPU_PAYS_FROM } from '../../src/train/backend.ts'
import { type EngineName, isSoftwareAdapter, type StartedEngine } from '../../src/train/engines.ts'
import type { Probed } from '../../src/train/probe.ts'

const SMALL = { batch: 256, parameters: 50_000 }
const LARGE = { batch: 4096, parameters: 1_000_000 }

const machine = (engines: Partial<Record<EngineName, StartedEngine>>) => ({
  probe: async (name: EngineName): Promise<Probed> => {
    const started = engines[name]
    return started ? { started } : { reason: `no ${name} here` }
  },
})
const gpu = (architecture: string): StartedEngine => ({
  engine: 'webgpu',
  device: `nvidia ${architecture}`,
  kind: 'gpu',
  architecture,
})
const cuda: StartedEngine = { engine: 'tensorflow', device: 'NVIDIA GPU through CUDA', kind: 'gpu' }
const swiftshader: StartedEngine = { engine: 'webgpu', device: 'google swiftshader', kind: 'software' }

describe('auto', () => {
  it.each([
    [
      'the kernel for small steps, without a look at the GPU',
      SMALL,
      { webgpu: gpu('hopper'), cuda },
      'kernel',
      'too little work',
    ],
    ['the kernel where there is no GPU', LARGE, {}, 'kernel', 'no webgpu here; cuda: no cuda here'],
    [
      'the kernel before an emulated GPU',
      LARGE,
      { webgpu: swiftshader },
      'kernel',
      'google swiftshader only emulates',
    ],
    [
      'WebGPU on cards newer than CUDA 11.2',
      LARGE,
      { webgpu: gpu('hopper'), cuda },
      'webgpu',
      'nvidia hopper',
    ],
    ['CUDA on cards that it knows', LARGE, { webgpu: gpu('ampere'), cuda }, 'cuda', 'through CUDA'],
    ['WebGPU where CUDA is not installed', LARGE, { webgpu: gpu('ampere') }, 'webgpu', 'nvidia ampere'],
    ['CUDA where WebGPU is not installed', LARGE, { cuda }, 'cuda', 'through CUDA'],
  ])('takes %s', async (_, size, engines, name, reason) => {
    const choice = await chooseBackend('auto', size, machine(engines))
    expect(choice.name).toBe(name)
    expect(choice.reason).toContain(reason)
  })

  it('counts a step as batch × parameters', () => {
    expect(SMALL.batch * SMALL.parameters).toBeLessThan(GPU_PAYS_FROM)
    expect(LARGE.batch * LARGE.parameters).toBeGreaterThan(GPU_PAYS_FROM)
  })
})

describe('a backend asked for by name', () => {
  it('is refused with the reason where it does not start', async () => {
    const error = await chooseBackend('cuda', SMALL, machine({})).catch((e: unknown) => e)
    expect(isSurprisalError(error, 'BACKEND_UNAVAILABLE')).toBe(true)
    expect((error as Error).message).toContain("backend 'cuda' does not start: no cuda here")
  })

  it('is refused on an emulated GPU unless that is allowed', async () => {
    const emulated = machine({ webgpu: swiftshader })
    await expect(chooseBackend('webgpu', SMALL, emulated)).rejects.toThrow('emulates a GPU on the CPU')
    const choice = await chooseBackend('webgpu', SMALL, { ...emulated, allowSoftware: true })
    expect(choice.name).toBe('webgpu')
  })

  it.each(['cpu', 'kernel'] as const)('trains on what it chose: %s', async (name) => {
    const spec = realNvp({ dim: 2, steps: 1, hidden: [4] })
    const choice = await chooseBackend(name, SMALL)
    await using trainer = await choice.create(spec, initialWeights(spec, 1))
    expect(trainer.backend).toBe(name)
    await trainer.step({ rows: 2, columns: 2, data: Float32Array.of(1, 2, 3, 4) }, undefined, 1e-3)
    expect(await trainer.loss()).toSatisfy(Number.isFinite)
  })
})

describe('describeBackends', () => {
  it('says of each what it is or why it is not there, by really starting it', async () => {
    const reports = await describeBackends()
    expect(reports.map((report) => report.name)).toEqual([...BACKENDS])
    for (const { available, device, reason } of reports) {
      expect(reason).not.toBe('')
      if (available) expect(device).not.toBeNull()
    }
    expect(reports.filter(({ name }) => name === 'kernel' || name === 'cpu').every((r) => r.available)).toBe(
      true,
    )
  })

  it('gives up on a probe that takes too long', async () => {
    const reports = await describeBackends({ timeoutMs: 1 })
    expect(reports.find(({ name }) => name === 'cpu')?.reason).toBe('did not start within 1 ms')
  })
})

describe('isSoftwareAdapter', () => {
  const info = { vendor: '', architecture: '', device: '', description: '' }

  it.each([
    { ...info, vendor: 'google', architecture: 'swiftshader' },
    { ...info, vendor: 'mesa', description: 'llvmpipe (LLVM 15.0.6, 256 bits)' },
    { ...info, vendor: 'microsoft', description: 'Microsoft Basic Render Driver' },
    { ...info, vendor: 'nvidia', isFallbackAdapter: true },
  ])('sees through %o', (adapter) => {
    expect(isSoftwareAdapter(adapter)).toBe(true)
  })

  it.each([
    { ...info, vendor: 'nvidia', architecture: 'hopper', description: 'NVIDIA H100 80GB HBM3' },
    { ...info, vendor: 'apple', architecture: 'metal-3' },
    { ...info, vendor: 'intel', architecture: 'xe', description: 'Intel(R) Arc(tm) A770' },
  ])('trusts %o', (adapter) => {
    expect(isSoftwareAdapter(adapter)).toBe(false)
  })
})
