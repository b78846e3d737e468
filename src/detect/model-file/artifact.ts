import { createHash } from 'node:crypto'
import { isSurprisalError, messageOf, SurprisalError } from '../../core/errors.ts'
import { contextColumns, type FlowWeights } from '../../core/flow-spec.ts'
import { validateSpec, validateWeights } from '../../flow/validation.ts'
import { GaussianMixture } from '../mixture/gaussian-mixture.ts'
import { FORMAT_VERSION, type Manifest, manifestSchema } from './manifest.ts'
import { readSafetensors, type Tensor, writeSafetensors } from './safetensors.ts'

/** Samples of a member's own flow with the log p they must have: [rows, dim], [rows, context columns], [rows]. */
export interface GoldenVectors {
  readonly x: Float32Array
  readonly context: Float32Array
  readonly logProb: Float32Array
}

/** A detector as data: everything that a model file holds. */
export interface Model {
  readonly manifest: Manifest
  /** Per member. */
  readonly weights: readonly FlowWeights[]
  readonly golden: readonly GoldenVectors[]
  /** Ascending surprisals of the calibration records. */
  readonly surprisals: Float32Array
}

const FORMAT_NAME = 'surprisal'

/**
 * One safetensors file: the manifest as JSON and a SHA-256 over manifest and tensors in `__metadata__`; tensors
 * `calibration.surprisals`, `member.<m>.<weight>` and `golden.<m>.{x,context,log_prob}`.
 */
export function writeArtifact(model: Model): Uint8Array {
  const tensors = new Map<string, Tensor>()
  const vector = (name: string, data: Float32Array) => tensors.set(name, { shape: [data.length], data })
  vector('calibration.surprisals', model.surprisals)
  model.weights.forEach((weights, m) => {
    for (const [name, tensor] of weights) tensors.set(`member.${m}.${name}`, tensor)
    vector(`golden.${m}.x`, model.golden[m].x)
    vector(`golden.${m}.context`, model.golden[m].context)
    vector(`golden.${m}.log_prob`, model.golden[m].logProb)
  })
  const manifest = JSON.stringify(model.manifest)
  return writeSafetensors({
    metadata: new Map([
      ['format', FORMAT_NAME],
      ['version', String(FORMAT_VERSION)],
      ['manifest', manifest],
      ['sha256', digest(manifest, tensors)],
    ]),
    tensors,
  })
}

/**
 * Reads a model file and refuses what is not one: MODEL_INVALID for a corrupt, foreign or inconsistent file,
 * MODEL_VERSION_UNSUPPORTED for a newer format. Golden vectors are the caller's to score, who has an executor.
 */
export function readArtifact(bytes: Uint8Array): Model {
  const { metadata, tensors } = readSafetensors(bytes)
  if (metadata.get('format') !== FORMAT_NAME) {
    throw new SurprisalError(
      'MODEL_INVALID',
      'the file holds tensors, but Surprisal did not write it: give a file that `surprisal fit` made',
    )
  }
  requireVersion(metadata.get('version'))
  const json = metadata.get('manifest') ?? ''
  if (metadata.get('sha256') !== digest(json, tensors)) {
    throw new SurprisalError(
      'MODEL_INVALID',
      'the checksum of the model file does not match what it holds: it was damaged or edited; copy it again',
    )
  }
  const manifest = parseManifest(json)
  const rest = new Map(tensors)
  const take = (name: string): Float32Array => {
    const tensor = rest.get(name)
    if (tensor === undefined) throw new SurprisalError('MODEL_INVALID', `the model file lacks "${name}"`)
    rest.delete(name)
    return tensor.data
  }
  const surprisals = take('calibration.surprisals')
  requireSurprisals(surprisals, manifest)
  const golden = manifest.members.map(({ flow }, m) => {
    const vectors = {
      x: take(`golden.${m}.x`),
      context: take(`golden.${m}.context`),
      logProb: take(`golden.${m}.log_prob`),
    }
    if (flow === null) return vectors
    const rows = vectors.logProb.length
    const sound =
      rows > 0 &&
      vectors.x.length === rows * flow.dim &&
      vectors.context.length === rows * contextColumns(flow.context)
    if (!sound)
      throw new SurprisalError('MODEL_INVALID', `the golden vectors of member ${m} have a wrong size`)
    return vectors
  })
  const weights = manifest.members.map(({ flow, view, mixture }, m) => {
    const own = [...rest].filter(([name]) => name.startsWith(`member.${m}.`))
    for (const [name] of own) rest.delete(name)
    const named = new Map(own.map(([name, tensor]) => [name.slice(`member.${m}.`.length), tensor]))
    if (flow !== null) asModelError(m, () => validateWeights(flow, named))
    if (mixture) asModelError(m, () => new GaussianMixture(named, view.dims.length))
    return named
  })
  const [foreign] = rest.keys()
  if (foreign !== undefined)
    throw new SurprisalError('MODEL_INVALID', `the model file has a foreign tensor "${foreign}"`)
  return { manifest, weights, golden, surprisals }
}

function requireVersion(version: string | undefined): void {
  const number = Number(version)
  if (!Number.isInteger(number) || number < 1) {
    throw new SurprisalError(
      'MODEL_INVALID',
      `the model file has the format version ${JSON.stringify(version)}`,
    )
  }
  if (number > FORMAT_VERSION) {
    throw new SurprisalError(
      'MODEL_VERSION_UNSUPPORTED',
      `the model file has format ${number}, this program reads up to ${FORMAT_VERSION}: upgrade surprisal, or fit again with this version`,
    )
  }
}

function parseManifest(json: string): Manifest {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (cause) {
    throw new SurprisalError('MODEL_INVALID', 'the manifest of the model file is not JSON', { cause })
  }
  const parsed = manifestSchema.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new SurprisalError(
      'MODEL_INVALID',
      `the manifest of the model file breaks its schema at ${issue.path.join('.') || 'the top'}: ${issue.message}`,
    )
  }
  const members = parsed.data.members.map((member, m) => ({
    ...member,
    flow: member.flow === null ? null : asModelError(m, () => validateSpec(member.flow)),
  }))
  return { ...parsed.data, members }
}

function requireSurprisals(surprisals: Float32Array, manifest: Manifest): void {
  const sound =
    surprisals.length === manifest.calibration.records &&
    surprisals.length > 0 &&
    surprisals.every((s, i) => Number.isFinite(s) && (i === 0 || s >= surprisals[i - 1]))
  if (!sound) {
    throw new SurprisalError(
      'MODEL_INVALID',
      'the calibration of the model file is not an ascending list of its records',
    )
  }
}

function asModelError<T>(member: number, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!isSurprisalError(cause)) throw cause
    throw new SurprisalError('MODEL_INVALID', `member ${member} of the model file: ${messageOf(cause)}`, {
      cause,
    })
  }
}

function digest(manifest: string, tensors: ReadonlyMap<string, Tensor>): string {
  const hash = createHash('sha256').update(manifest)
  for (const name of [...tensors.keys()].sort()) {
    const { shape, data } = tensors.get(name)!
    hash.update(`\n${name} ${shape.join(',')}\n`)
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }
  return hash.digest('hex')
}
