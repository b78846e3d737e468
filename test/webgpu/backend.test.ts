import { describe, expect, it } from 'vitest'
import { chooseBackend, describeBackends, GPU_PAYS_FROM } from '../../src/train/backend.ts'
import { probeEngine } from '../../src/train/probe.ts'

/** Real probes of whatever WebGPU finds here. On Linux that is SwiftShader, unless SURPRISAL_TEST_VULKAN says else. */
describe('backends where WebGPU starts', async () => {
  const probed = await probeEngine('webgpu', 60_000)
  if ('reason' in probed) throw new Error(probed.reason)
  const { kind, device } = probed.started
  const large = { batch: 1000, parameters: GPU_PAYS_FROM }

  it('say what it is, and offer a GPU in software for checks only', async () => {
    const reports = await describeBackends({ timeoutMs: 60_000 })
    const webgpu = reports.find(({ name }) => name === 'webgpu')
    expect(webgpu).toMatchObject({ device, available: kind === 'gpu' })
    expect(webgpu?.reason).toContain(kind === 'gpu' ? 'a real GPU' : 'only where allowSoftware is set')
  })

  it('auto takes a real GPU, and never one in software', async () => {
    const choice = await chooseBackend('auto', large, { timeoutMs: 60_000 })
    if (kind === 'gpu') expect(['webgpu', 'cuda']).toContain(choice.name)
    else {
      expect(choice.name).toBe('kernel')
      expect(choice.reason).toContain(`no GPU: webgpu: ${device} only emulates a GPU; cuda: `)
    }
  })

  it('a GPU in software serves who asks for it and allows it, nobody else', async () => {
    const asked = chooseBackend('webgpu', large, { timeoutMs: 60_000 })
    if (kind === 'gpu') await expect(asked).resolves.toMatchObject({ name: 'webgpu' })
    else await expect(asked).rejects.toThrow(`would run on ${device}, which emulates a GPU on the CPU`)
    const allowed = await chooseBackend('webgpu', large, { timeoutMs: 60_000, allowSoftware: true })
    expect(allowed.reason).toBe(`asked for; runs on ${device}`)
  })
})
