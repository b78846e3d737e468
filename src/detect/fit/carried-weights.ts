import { contextWidth, type FlowSpec, type FlowWeights, type WeightTensor } from '../../core/flow-spec.ts'
import type { ContextInput, FlowInputs } from './flow-inputs.ts'

/** old = scale · new + shift. */
export interface Affine {
  readonly scale: number
  readonly shift: number
}
export const SAME: Affine = { scale: 1, shift: 0 }

/** A flow with what its inputs mean. */
export interface MeantFlow {
  readonly spec: FlowSpec
  readonly inputs: FlowInputs
  readonly weights: FlowWeights
}

/**
 * The weights of `old` for a flow whose inputs mean the same and are laid out, coded or scaled otherwise. Context inputs
 * are found by their key; one that `old` did not have begins with weight 0, so that nothing changes by it until training
 * uses it. Rows of embeddings go with their level; a level that `old` did not know has the row of its rare ones, or that
 * of `fresh`. `dims` and each input's change of units are absorbed: into the first actnorm, z = exp(s)(a x + b) + t, and
 * into the first layer of every coupling, W(a c + b) + t.
 */
export function carriedWeights(
  old: MeantFlow,
  fresh: MeantFlow,
  dims: readonly Affine[],
  unitsOf: (key: string) => Affine,
): FlowWeights {
  const carried = new Map<string, WeightTensor>()
  for (const [name, tensor] of old.weights)
    if (!name.startsWith('context.')) carried.set(name, { shape: tensor.shape, data: tensor.data.slice() })
  for (const [e, embedding] of fresh.inputs.embeddings.entries()) {
    const name = `context.embedding.${e}`
    carried.set(name, carriedTable(old, embedding, fresh.weights.get(name) as WeightTensor))
  }
  const sources = fresh.inputs.context.map((input) => sourceOf(old.inputs.context, input, unitsOf))
  for (const [i, bijector] of fresh.spec.bijectors.entries()) {
    if (i === 0 && bijector.kind === 'actnorm') absorb(carried, dims)
    if (bijector.kind === 'affine-coupling')
      rewire(carried, i, bijector.split, contextWidth(old.spec.context), sources)
  }
  return carried
}

/** Where a context input comes from among the old ones; null: nowhere. */
type ContextSource = ({ readonly at: number } & Affine) | null

function sourceOf(
  old: readonly ContextInput[],
  { key, sign }: ContextInput,
  unitsOf: (key: string) => Affine,
): ContextSource {
  const at = old.findIndex((input) => input.key === key)
  if (at < 0) return null
  const { scale, shift } = unitsOf(key)
  return { at, scale: scale * sign * old[at].sign, shift }
}

function absorb(weights: ReadonlyMap<string, WeightTensor>, dims: readonly Affine[]): void {
  const logScale = (weights.get('0.log_scale') as WeightTensor).data
  const bias = (weights.get('0.bias') as WeightTensor).data
  for (const [d, { scale, shift }] of dims.entries()) {
    bias[d] += Math.exp(logScale[d]) * shift
    logScale[d] += Math.log(scale)
  }
}

function rewire(
  weights: Map<string, WeightTensor>,
  i: number,
  split: number,
  oldContext: number,
  sources: readonly ContextSource[],
): void {
  const { shape, data } = weights.get(`${i}.weight.0`) as WeightTensor
  const bias = (weights.get(`${i}.bias.0`) as WeightTensor).data
  const [outputs, before, after] = [shape[0], split + oldContext, split + sources.length]
  const rewired = new Float32Array(outputs * after)
  for (let out = 0; out < outputs; out++) {
    rewired.set(data.subarray(out * before, out * before + split), out * after)
    for (const [k, source] of sources.entries()) {
      if (source === null) continue
      const weight = data[out * before + split + source.at]
      rewired[out * after + split + k] = weight * source.scale
      bias[out] += weight * source.shift
    }
  }
  weights.set(`${i}.weight.0`, { shape: [outputs, after], data: rewired })
}

function carriedTable(
  old: MeantFlow,
  { field, rows, width }: FlowInputs['embeddings'][number],
  fresh: WeightTensor,
): WeightTensor {
  const e = old.inputs.embeddings.findIndex((one) => one.field === field)
  if (e < 0) return fresh
  const known = old.inputs.embeddings[e]
  const table = (old.weights.get(`context.embedding.${e}`) as WeightTensor).data
  const places = new Map(known.rows.map((level, row) => [level, row]))
  const data = fresh.data.slice()
  const shared = Math.min(width, known.width)
  for (const [row, level] of rows.entries()) {
    const place = places.get(level) ?? places.get('rare')
    if (place !== undefined)
      data.set(table.subarray(place * known.width, place * known.width + shared), row * width)
  }
  return { shape: fresh.shape, data }
}
