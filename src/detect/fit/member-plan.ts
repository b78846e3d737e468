import { contextColumns, type FlowSpec } from '../../core/flow-spec.ts'
import type { EncodedBatch } from '../../features/encoded.ts'
import type { FeatureEncoder } from '../../features/encoder.ts'
import { exactView, jointView, standardView, type View } from '../../features/view.ts'
import { glow, realNvp } from '../../flow/architectures.ts'
import type { FlowRows } from '../../train/augment.ts'
import { type MemberJob, sharedRows } from '../../train/member.ts'
import { FLOW_SHAPE } from '../../train/recipe.ts'
import type { Budget } from '../../train/schedule.ts'
import { type FittedMixture, fitMixture } from '../mixture/fit-mixture.ts'

export type Architecture = 'real-nvp' | 'glow'

/** One member of a detector before it is fitted. */
export interface PlannedMember {
  readonly view: View
  /** null where the view has no dimension to model, and of a mixture. */
  readonly spec: FlowSpec | null
  readonly mixture?: true
  readonly seed: number
}

/** Above this a full covariance costs more than a flow. */
const MIXTURE_DIMS = 128

/**
 * Who judges a record, each with one voice: a flow of the exact density, two flows that see every number as a number in
 * standard units, and two Gaussian mixtures, in robust and in standard units, that give the voice of its weakest field.
 * Data that is all discrete has the exact density of its counts and no flow.
 */
export function planMembers(
  { layout, anchors }: Pick<FeatureEncoder, 'layout' | 'anchors'>,
  learned: EncodedBatch,
  architecture: Architecture,
  seed: number,
): readonly PlannedMember[] {
  const joint = jointView(layout, anchors)
  const standard = standardView(layout, learned, anchors)
  const flows =
    joint.dim > 0 ? [exactView(layout, anchors), standard, standard] : [exactView(layout, anchors)]
  const mixtures = joint.dim > 0 && joint.dim <= MIXTURE_DIMS ? [joint, standard] : []
  const seedOf = (i: number) => (Math.imul(seed, 0x9e3779b1) + i) >>> 0
  return [
    ...flows.map((view, i) => ({
      view,
      spec: view.dim === 0 ? null : specOf(view, architecture, seed + i),
      seed: seedOf(i),
    })),
    ...mixtures.map((view, i) => ({
      view,
      spec: null,
      mixture: true as const,
      seed: seedOf(flows.length + i),
    })),
  ]
}

function specOf({ dim, context }: View, architecture: Architecture, seed: number): FlowSpec {
  const options = { dim, context, steps: FLOW_SHAPE.steps, hidden: FLOW_SHAPE.hidden }
  return architecture === 'glow' ? glow(options) : realNvp({ ...options, seed })
}

/** What each planned member learns from; null where it has no flow. Members of one view share their rows. */
export function jobsOf(
  plan: readonly PlannedMember[],
  fit: EncodedBatch,
  stop: EncodedBatch,
  budget: Budget,
): readonly (MemberJob | null)[] {
  const rows = new Map<View, Pick<MemberJob, 'train' | 'heldOut' | 'noise'>>()
  return plan.map(({ view, spec, seed }) => {
    if (spec === null) return null
    const own = rows.get(view) ?? {
      train: sharedRows(rowsOf(view, fit)),
      heldOut: sharedRows(rowsOf(view, stop)),
      noise: {
        gaussian: Float32Array.from(view.noise.gaussian),
        uniform: Float32Array.from(view.noise.uniform),
      },
    }
    rows.set(view, own)
    return { ...own, spec, seed, budget }
  })
}

/** The mixture of a planned member; null where it is a flow. Context plays no part. */
export async function mixtureOf(
  { view, mixture, seed }: PlannedMember,
  fit: EncodedBatch,
  stop: EncodedBatch,
  signal: AbortSignal | undefined,
): Promise<FittedMixture | null> {
  if (!mixture) return null
  const { gaussian, uniform } = view.noise
  const noise = gaussian.map((sigma, d) => sigma ** 2 + uniform[d] ** 2 / 3)
  return fitMixture(rowsOf(view, fit).x, rowsOf(view, stop).x, { noise, seed, ...(signal && { signal }) })
}

function rowsOf(view: View, encoded: EncodedBatch): FlowRows {
  const { x, context, fill } = view.input(encoded, undefined, true)
  const columns = contextColumns(view.context)
  const { rows } = encoded
  return {
    x: { rows, columns: view.dim, data: x },
    ...(columns > 0 && { context: { rows, columns, data: context } }),
    ...(fill && { fill }),
  }
}
