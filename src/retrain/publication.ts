import { isoOrNull } from '../core/iso-times.ts'
import type { JobContext, ModelRegistry, ModelVersion, RetrainJob } from '../core/ports.ts'
import type { Detector } from '../detect/detector.ts'
import type { Manifest } from '../detect/model-file/manifest.ts'
import type { GateDecision } from './gate.ts'
import type { TrainingWindow } from './training-window.ts'

/** Ids alone come again on a Redis that lost its data. */
export const keyOf = ({ id, created_at }: RetrainJob): string => `${id} of ${created_at}`

/** What an attempt that was killed after publishing left behind: a job makes one version. */
export async function publishedBy(
  registry: ModelRegistry,
  job: RetrainJob,
): Promise<ModelVersion | undefined> {
  return (await registry.list(job.request.pipeline)).find(({ summary }) => summary.job === keyOf(job))
}

/** What the model list shows of any version: what it is, and how it did on its gate window. */
export function modelSummary(manifest: Manifest): Readonly<Record<string, unknown>> {
  return {
    architecture: manifest.architecture,
    engine: manifest.engine,
    ...(manifest.warm_start !== undefined && { warm_start: manifest.warm_start }),
    rate: manifest.alerts.rate,
    measure: manifest.measure,
    records: manifest.lineage.used,
    metrics: manifest.metrics,
  }
}

/** What the model list shows of a version that a job made. */
export function summaryOf(
  { manifest }: Detector,
  window: TrainingWindow,
  decision: GateDecision,
  job: RetrainJob,
): Readonly<Record<string, unknown>> {
  const [from, to] = [window.from, window.to].map((time) => isoOrNull(time ?? undefined))
  return {
    ...modelSummary(manifest),
    window: { ...window.counts, from, to, sha256: manifest.lineage.sha256 },
    promoted: decision.promote,
    decision: decision.reason,
    checks: decision.checks,
    improvement: decision.improvement,
    nll: decision.nll,
    job: keyOf(job),
  }
}

/** Gives a version that passed the gate its alias: champion at once, or challenger where a person decides. */
export async function announce(
  registry: ModelRegistry,
  promote: 'auto' | 'manual',
  { job }: JobContext,
  version: number,
  { promoted, decision }: ModelVersion['summary'],
): Promise<void> {
  const { pipeline, who } = job.request
  if (promoted !== true) return
  // Said once: somebody may have rolled back since.
  if ((await registry.history(pipeline)).some((change) => change.version === version)) return
  if (promote === 'auto') await registry.setAlias(pipeline, 'champion', version, who, String(decision))
  else await registry.setAlias(pipeline, 'challenger', version, who, `waits for approval; ${decision}`)
}
