import { beforeAll, describe, expect, it } from 'vitest'
import { Detector } from '../../../src/detect/detector.ts'
import { type Model, readArtifact, writeArtifact } from '../../../src/detect/model-file/artifact.ts'
import { verifyGolden } from '../../../src/detect/model-file/golden.ts'
import { readSafetensors, writeSafetensors } from '../../../src/detect/model-file/safetensors.ts'
import { loadKernel } from '../../../src/kernel/kernel.ts'
import { untrainedModel } from '../untrained.ts'

let model: Model
let bytes: Uint8Array
beforeAll(async () => {
  model = await untrainedModel()
  bytes = writeArtifact(model)
})

/** The file with its metadata changed, everything else as it is. */
function withMetadata(change: Record<string, string>): Uint8Array {
  const { metadata, tensors } = readSafetensors(bytes)
  return writeSafetensors({ metadata: new Map([...metadata, ...Object.entries(change)]), tensors })
}
const refused = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })

describe('a model file', () => {
  it('round-trips everything, byte for byte', () => {
    const back = readArtifact(bytes)
    expect(back.manifest).toEqual(JSON.parse(JSON.stringify(model.manifest)))
    expect(back.weights.map((weights) => [...weights.keys()])).toEqual(
      model.weights.map((w) => [...w.keys()]),
    )
    expect(Buffer.compare(writeArtifact(back), bytes)).toBe(0)
  })

  it('holds members of both views, calibration, lineage and golden vectors that score', () => {
    const { members, calibration, lineage } = model.manifest
    expect(members.map(({ view }) => view.name)).toEqual([
      'exact',
      'standard',
      'standard',
      'joint',
      'standard',
    ])
    expect(calibration.records).toBe(300)
    expect(lineage.records).toBe(1500)
    expect(() => verifyGolden(model, loadKernel())).not.toThrow()
  })

  it('is refused where a byte of a weight flipped', () => {
    const damaged = bytes.slice()
    damaged[damaged.length - 5] ^= 1
    expect(() => readArtifact(damaged)).toThrowError(refused('MODEL_INVALID', /checksum/))
  })

  it('is refused where its golden vectors score differently here', async () => {
    const { golden, weights } = model
    const logProb = golden[1].logProb.map((p) => p + 0.01)
    const wrong = { ...model, golden: golden.map((g, m) => (m === 1 ? { ...g, logProb } : g)) }
    await expect(Detector.load(writeArtifact(wrong), { workers: 0 })).rejects.toThrowError(
      refused('MODEL_INVALID', /golden vector 0 of member 1/),
    )
    expect(weights).toHaveLength(5)
  })

  it('is refused where weights are missing, foreign or not finite', () => {
    const [first, ...rest] = model.weights
    const change = (weights: Model['weights'][number]) =>
      writeArtifact({ ...model, weights: [weights, ...rest] })
    const lacking = new Map(first)
    lacking.delete('0.bias')
    expect(() => readArtifact(change(lacking))).toThrowError(refused('MODEL_INVALID', /lack '0.bias'/))
    const foreign = new Map(first).set('99.bias', { shape: [1], data: new Float32Array(1) })
    expect(() => readArtifact(change(foreign))).toThrowError(refused('MODEL_INVALID', /99.bias/))
    const { shape } = first.get('0.bias')!
    const broken = new Map(first).set('0.bias', { shape, data: new Float32Array(shape[0]).fill(Number.NaN) })
    expect(() => readArtifact(change(broken))).toThrowError(refused('MODEL_INVALID', /NaN/))
  })

  it('is refused where the manifest breaks its schema', () => {
    const manifest = { ...model.manifest, alerts: { ...model.manifest.alerts, rate: 7 } }
    expect(() => readArtifact(writeArtifact({ ...model, manifest }))).toThrowError(
      refused('MODEL_INVALID', /alerts.rate/),
    )
  })

  it('is refused where the calibration is not ascending', () => {
    const surprisals = model.surprisals.slice().reverse()
    expect(() => readArtifact(writeArtifact({ ...model, surprisals }))).toThrowError(
      refused('MODEL_INVALID', /ascending/),
    )
  })

  it('of a newer format asks for a newer program; of another program is refused', () => {
    expect(() => readArtifact(withMetadata({ version: '2' }))).toThrowError(
      refused('MODEL_VERSION_UNSUPPORTED', /format 2.*up to 1/),
    )
    expect(() => readArtifact(withMetadata({ version: 'x' }))).toThrowError(refused('MODEL_INVALID', /"x"/))
    expect(() => readArtifact(withMetadata({ format: 'pt' }))).toThrowError(
      refused('MODEL_INVALID', /Surprisal did not write it/),
    )
    expect(() => readArtifact(withMetadata({ manifest: '{' }))).toThrowError(
      refused('MODEL_INVALID', /checksum/),
    )
  })
})
