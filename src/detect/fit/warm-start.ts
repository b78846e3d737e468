import type { FlowWeights } from '../../core/flow-spec.ts'
import type { Scaling } from '../../features/columns/scaling.ts'
import { FeatureEncoder } from '../../features/encoder.ts'
import { LOG_UNIT } from '../../features/view.ts'
import type { ViewDim } from '../../features/view-spec.ts'
import { initialWeights } from '../../flow/weights.ts'
import type { Start } from '../../train/start.ts'
import { readArtifact } from '../model-file/artifact.ts'
import type { Manifest } from '../model-file/manifest.ts'
import { type Affine, carriedWeights, SAME } from './carried-weights.ts'
import { flowInputs } from './flow-inputs.ts'
import type { PlannedMember } from './member-plan.ts'

/** What came of a flow's predecessor: a text says why there was nothing to go on from. */
export type FlowStart = Start | string

/** A model to go on from. */
export interface Predecessor {
  readonly version: number
  readonly manifest: Manifest
  readonly weights: readonly FlowWeights[]
  readonly encoder: FeatureEncoder
}

/** Reads a model file as one to go on from; MODEL_INVALID, MODEL_VERSION_UNSUPPORTED as readArtifact. */
export function readPredecessor(artifact: Uint8Array, version: number): Predecessor {
  const { manifest, weights } = readArtifact(artifact)
  return { version, manifest, weights, encoder: FeatureEncoder.fromState(manifest.encoder) }
}

/**
 * What the m-th flow of `predecessor` knows, as weights for the m-th planned one: as it stands, which follows numbers that
 * have moved or changed their unit, and with the change of units absorbed, which leaves the density of a record where it
 * was (in the tails, which are tamed, nearly). A text says why it is not the same model.
 */
export function candidatesFor(
  predecessor: Predecessor,
  m: number,
  { view, spec, seed }: PlannedMember,
  encoder: FeatureEncoder,
): readonly FlowWeights[] | string {
  const before = predecessor.manifest.members[m]
  if (spec === null) return 'it has no dimension to model'
  if (before === undefined || before.flow === null || before.view.name !== view.spec.name)
    return `version ${predecessor.version} has no such flow`
  const old = {
    spec: before.flow,
    inputs: flowInputs(before.view, predecessor.encoder),
    weights: predecessor.weights[m],
  }
  const fresh = { spec, inputs: flowInputs(view.spec, encoder), weights: initialWeights(spec, seed) }
  if (JSON.stringify(old.inputs.dims) !== JSON.stringify(fresh.inputs.dims))
    return `it models ${fresh.inputs.dims.join(', ')}; version ${predecessor.version} ${old.inputs.dims.join(', ')}`
  if (JSON.stringify(before.flow.bijectors) !== JSON.stringify(spec.bijectors))
    return `version ${predecessor.version} is a flow of another shape`
  const [then, now] = [scalingsOf(predecessor.encoder), scalingsOf(encoder)]
  const dims = view.spec.dims.map((dim, d) =>
    dim.anchor === undefined && before.view.dims[d].anchor === undefined
      ? changeOf(unitOf(before.view.dims[d], then, predecessor.encoder), unitOf(dim, now, encoder))
      : SAME,
  )
  const standing = carriedWeights(
    old,
    fresh,
    dims.map(() => SAME),
    () => SAME,
  )
  return [standing, carriedWeights(old, fresh, dims, (key) => contextChange(key, then, now))]
}

/** x = (raw − centre) / scale. */
type Scalings = ReadonlyMap<string, Scaling>

function scalingsOf({ state }: FeatureEncoder): Scalings {
  return new Map(
    state.columns.flatMap((column) => {
      if (column.kind === 'numeric') return [[column.field, column] as const]
      return column.kind === 'context-number' ? [[column.field, column.number] as const] : []
    }),
  )
}

function unitOf(dim: ViewDim, scalings: Scalings, { layout }: FeatureEncoder): Scaling {
  const { centre, scale } = scalings.get(layout.numeric[dim.column].field) as Scaling
  const { mean, deviation } = dim.standard ?? { mean: 0, deviation: 1 }
  return { centre: centre + scale * mean, scale: scale * deviation }
}

function changeOf(old: Scaling, now: Scaling): Affine {
  return { scale: now.scale / old.scale, shift: (now.centre - old.centre) / old.scale }
}

/** The anchors' estimates are in encoded units, a context number is one; all else has none. */
function contextChange(key: string, then: Scalings, now: Scalings): Affine {
  const [kind, field] = [key.slice(0, key.indexOf(' ')), key.slice(key.indexOf(' ') + 1)]
  const [old, current] = [then.get(field), now.get(field)]
  if (old === undefined || current === undefined) return SAME
  const change = changeOf(old, current)
  if (kind === 'mean' || kind === 'float') return change
  return kind === 'spread' ? { scale: 1, shift: Math.log(change.scale) / LOG_UNIT } : SAME
}

/**
 * Why records that a fit holds out may have taught the predecessor, whose weights would carry what it learned of them
 * into their own test. Empty: its last record to learn from is no later than the first to stop by, its last to stop by no
 * later than the first to calibrate on.
 */
export function leakOf(
  { version, manifest: { lineage } }: Predecessor,
  ordered: boolean,
  heldOut: { readonly stop: number; readonly calibrate: number },
): string {
  if (!ordered)
    return `the records do not come in the order of their times, so that held-out ones may have taught version ${version}`
  if (lineage.fit_until == null || lineage.stop_until == null)
    return `version ${version} does not say until when it learned`
  if ((lineage.labelled?.false_alarms ?? 0) > 0)
    return `version ${version} learned from labelled false alarms, which may be held out now`
  if (Date.parse(lineage.fit_until) > heldOut.stop || Date.parse(lineage.stop_until) > heldOut.calibrate)
    return `version ${version} learned records up to ${lineage.fit_until} that are held out now`
  return ''
}

/** The manifest's `warm_start`. */
export function warmStartText(version: number, starts: readonly FlowStart[]): string {
  const taken = starts.filter(
    (start): start is Start => typeof start !== 'string' && start.candidate !== null,
  )
  const afresh = starts.flatMap((start, i) => {
    if (typeof start === 'string') return [`flow ${i + 1} afresh: ${start}`]
    if (start.candidate !== null) return []
    return [
      start.fell === undefined
        ? `flow ${i + 1} afresh: version ${version} fits the records no better than a start without knowledge`
        : `flow ${i + 1} afresh: the records have moved away from version ${version}, whose held-out NLL fell by ${start.fell.toFixed(2)} in a few steps`,
    ]
  })
  if (taken.length === 0) return `fresh: ${[...new Set(afresh)].join('; ') || 'there is no flow'}`
  const mean = (of: (start: Start) => number): string =>
    (taken.reduce((sum, start) => sum + of(start), 0) / taken.length).toFixed(2)
  return [
    `from version ${version}: ${taken.length} of ${starts.length} flows, held-out NLL at the start ${mean(({ nll }) => nll)} instead of ${mean(({ freshNll }) => freshNll)}`,
    ...afresh,
  ].join('; ')
}
