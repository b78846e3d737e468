import { SurprisalError } from '../core/errors.ts'
import type { FlowWeights, WeightTensor } from '../core/flow-spec.ts'
import type { MinibatchState } from './minibatches.ts'
import type { Start } from './start.ts'
import type { TrainerState } from './trainer.ts'

/** Everything a fit needs to go on and end in the same bits. */
export interface FitState {
  /** Hash of what the fit was asked for: a checkpoint of another fit is refused. */
  readonly fingerprint: string
  readonly start: Start
  readonly step: number
  readonly batches: MinibatchState
  readonly trainer: TrainerState
  readonly best: { readonly weights: FlowWeights; readonly step: number; readonly nll: number }
  readonly misses: number
  /** Halved at each restart. */
  readonly rateScale: number
  readonly restarts: number
  readonly finished: boolean
}

const MAGIC = 'surprisal-fit-2'
const GROUPS = ['weights', 'moment1', 'moment2', 'best'] as const
type Group = (typeof GROUPS)[number]
interface Header extends Omit<FitState, 'trainer' | 'batches' | 'best'> {
  readonly magic: string
  readonly trainerStep: number
  readonly position: number
  readonly rng: readonly number[]
  readonly bestStep: number
  /** null: Infinity, no look at the held-out loss yet. */
  readonly bestNll: number | null
  readonly rows: number
  readonly tensors: readonly {
    readonly group: Group
    readonly name: string
    readonly shape: readonly number[]
  }[]
}

/** Layout: header length (uint32), header (JSON, padded to 4 bytes), float32 tensors, int32 order; little-endian. */
export function encodeCheckpoint(state: FitState): Uint8Array {
  const groups: Record<Group, FlowWeights> = {
    weights: state.trainer.weights,
    moment1: state.trainer.moment1,
    moment2: state.trainer.moment2,
    best: state.best.weights,
  }
  const entries = GROUPS.flatMap((group) =>
    [...groups[group]].map(([name, tensor]) => ({ group, name, tensor })),
  )
  const { trainer, batches, best, ...rest } = state
  const header: Header = {
    ...rest,
    magic: MAGIC,
    trainerStep: trainer.step,
    position: batches.position,
    rng: batches.rng,
    bestStep: best.step,
    bestNll: Number.isFinite(best.nll) ? best.nll : null,
    rows: batches.order.length,
    tensors: entries.map(({ group, name, tensor }) => ({ group, name, shape: tensor.shape })),
  }
  const json = Buffer.from(JSON.stringify(header))
  const padded = Buffer.concat([json, Buffer.alloc((4 - (json.length % 4)) % 4, ' ')])
  const length = Buffer.alloc(4)
  length.writeUInt32LE(padded.length)
  const bytesOf = (view: Float32Array | Int32Array) =>
    Buffer.from(view.buffer, view.byteOffset, view.byteLength)
  return Buffer.concat([
    length,
    padded,
    ...entries.map((e) => bytesOf(e.tensor.data)),
    bytesOf(batches.order),
  ])
}

/** The state in a checkpoint; MODEL_INVALID where the bytes are cut short or something else. */
export function decodeCheckpoint(bytes: Uint8Array): FitState {
  const invalid = (why: string, cause?: unknown) =>
    new SurprisalError(
      'MODEL_INVALID',
      `not a training checkpoint: ${why}; delete it to train from the start`,
      {
        cause,
      },
    )
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.length < 4 || 4 + view.readUInt32LE(0) > view.length) throw invalid('it is truncated')
  let offset = 4 + view.readUInt32LE(0)
  let header: Header
  try {
    header = JSON.parse(view.toString('utf8', 4, offset))
  } catch (cause) {
    throw invalid('its header is not JSON', cause)
  }
  if (header.magic !== MAGIC) throw invalid(`its header says ${JSON.stringify(header.magic)}, not "${MAGIC}"`)
  const take = (count: number): ArrayBuffer => {
    if (offset + 4 * count > view.length) throw invalid('it is truncated')
    const copy = view.buffer.slice(view.byteOffset + offset, view.byteOffset + offset + 4 * count)
    offset += 4 * count
    return copy as ArrayBuffer
  }
  const groups: Record<Group, Map<string, WeightTensor>> = {
    weights: new Map(),
    moment1: new Map(),
    moment2: new Map(),
    best: new Map(),
  }
  for (const { group, name, shape } of header.tensors) {
    const count = shape.reduce((product, n) => product * n, 1)
    groups[group].set(name, { shape, data: new Float32Array(take(count)) })
  }
  const order = new Int32Array(take(header.rows))
  const { fingerprint, start, step, misses, rateScale, restarts, finished } = header
  return {
    ...{ fingerprint, start, step, misses, rateScale, restarts, finished },
    batches: { order, position: header.position, rng: header.rng },
    trainer: {
      weights: groups.weights,
      moment1: groups.moment1,
      moment2: groups.moment2,
      step: header.trainerStep,
    },
    best: {
      weights: groups.best,
      step: header.bestStep,
      nll: header.bestNll ?? Number.POSITIVE_INFINITY,
    },
  }
}
