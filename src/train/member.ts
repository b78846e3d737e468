import type { FlowSpec, FlowWeights, Matrix } from '../core/flow-spec.ts'
import { initialWeights } from '../flow/weights.ts'
import type { FlowRows, Noise } from './augment.ts'
import { type FitOptions, type FlowFit, fitFlow } from './fit.ts'
import type { Budget } from './schedule.ts'
import type { WarmStart } from './start.ts'
import type { FlowTrainer } from './trainer.ts'

/** One flow to fit, as data that crosses threads. */
export interface MemberJob {
  readonly spec: FlowSpec
  /** Draws the initial weights, the order of the rows and the noise. */
  readonly seed: number
  readonly train: FlowRows
  readonly heldOut: FlowRows
  readonly noise: Noise
  readonly budget: Budget
  readonly warm?: WarmStart
  /** A checkpoint of this very job. */
  readonly resume?: Uint8Array
}

export type TrainerFactory = (spec: FlowSpec, weights: FlowWeights) => Promise<FlowTrainer>
export type MemberHooks = Pick<FitOptions, 'signal' | 'onProgress' | 'onCheckpoint'>

/** Fits one member from initial weights of its own, or from `warm`; the trainer is disposed of whatever happens. */
export async function fitMember(
  job: MemberJob,
  create: TrainerFactory,
  hooks: MemberHooks,
): Promise<FlowFit> {
  await using trainer = await create(job.spec, initialWeights(job.spec, job.seed))
  return await fitFlow({ ...job, trainer, ...hooks })
}

/** The same rows in memory that threads share: ten members of one view then hold one copy. */
export function sharedRows(rows: FlowRows): FlowRows {
  const matrix = (m: Matrix): Matrix => ({ ...m, data: new Float32Array(shared(m.data)) })
  return {
    x: matrix(rows.x),
    ...(rows.context && { context: matrix(rows.context) }),
    ...(rows.fill && { fill: new Uint8Array(shared(rows.fill)) }),
  }
}

function shared(view: Float32Array | Uint8Array): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(view.byteLength)
  new Uint8Array(buffer).set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
  return buffer
}
