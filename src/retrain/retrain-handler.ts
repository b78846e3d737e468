import { type ErrorCode, isSurprisalError } from '../core/errors.ts'
import type { JobContext, JobHandler, LabelStore, ModelRegistry, ModelVersion } from '../core/ports.ts'
import type { RecordBatch } from '../core/record.ts'
import { recalibrated } from '../detect/calibration/recalibrated.ts'
import type { Detector } from '../detect/detector.ts'
import { MAX_ROWS } from '../detect/fit/collect.ts'
import { decide } from './decide.ts'
import { fitChallenger } from './fit-challenger.ts'
import type { FitSettings } from './fit-process.ts'
import type { GATE } from './gate.ts'
import type { JobCheckpoints } from './job-checkpoints.ts'
import { keepingCurve } from './kept-curve.ts'
import { announce, publishedBy, summaryOf } from './publication.ts'
import { collectWindow, holdOutLatest, type TimeRange, type TrainingWindow } from './training-window.ts'

/** How one pipeline is retrained. */
export interface RetrainPlan {
  /** The window's records, oldest first. */
  window(signal: AbortSignal): AsyncIterable<RecordBatch>
  readonly source: string
  readonly fit: FitSettings
  readonly minimumRecords: number
  readonly excluded: readonly TimeRange[]
  /** Labelled anomalies and what the champion finds far below its rate teach nothing. */
  readonly excludeAnomalies: boolean
  /** manual: a challenger that passes waits for a person. */
  readonly promote: 'auto' | 'manual'
  /** auto: fits go on from the champion's flows where they can. Default auto. */
  readonly warmStart?: 'auto' | 'never'
  readonly gate?: Partial<typeof GATE>
}
export interface RetrainDependencies {
  readonly registry: ModelRegistry
  readonly labels?: Pick<LabelStore, 'labels'>
  readonly checkpoints?: JobCheckpoints
  plan(pipeline: string): RetrainPlan
  load(artifact: Uint8Array, version: number): Promise<Detector>
}

/** The newest share of the window judges; it never teaches. */
const GATE_SHARE = 0.1
const LEFT_TO_OTHERS: ReadonlySet<ErrorCode> = new Set(['FENCE_STALE', 'ABORTED'])

/**
 * The work of a retraining job: collect → fit (child process) → evaluate → publish → promote or reject. The fencing
 * token is taken first, so that a later attempt makes this one's model refused.
 */
export function retrainHandler(dependencies: RetrainDependencies): JobHandler {
  return async (given) => {
    const context = keepingCurve(given)
    const { pipeline } = context.job.request
    const plan = dependencies.plan(pipeline)
    const fence = await dependencies.registry.fence(pipeline)
    try {
      return await retrained(dependencies, plan, fence, context)
    } catch (error) {
      if (isFinal(error, context.last)) await dependencies.checkpoints?.remove(context.job)
      throw error
    }
  }
}

async function retrained(
  dependencies: RetrainDependencies,
  plan: RetrainPlan,
  fence: number,
  context: JobContext,
): Promise<Readonly<Record<string, unknown>>> {
  const { registry } = dependencies
  const { pipeline } = context.job.request
  await using champion = await currentChampion(dependencies, pipeline)
  const published = await publishedBy(registry, context.job)
  if (published !== undefined) {
    await context.log(`an attempt before made version ${published.version}`)
    return concluded(dependencies, plan, context, published)
  }

  const { champion: about } = context.job.request
  if (about !== undefined && champion !== undefined && champion.modelVersion !== about) {
    const decision = `nothing to do: version ${champion.modelVersion} has taken over from version ${about}`
    await context.log(decision)
    return { version: champion.modelVersion, promoted: false, decision }
  }

  const window = await windowOf(dependencies, plan, context, champion)
  const { train, gate } = holdOutLatest(window.batches, GATE_SHARE)

  const recalibrate = context.job.request.action === 'recalibrate' && champion !== undefined
  const artifact = recalibrate
    ? await recalibratedChampion(champion, train, window, context)
    : await fitChallenger(train, settingsOf(plan, window, champion), context, dependencies.checkpoints)
  await context.progress({ stage: 'evaluate', fraction: 0.92 })
  await using challenger = await dependencies.load(artifact, 0)
  if (!recalibrate) await context.log(startOf(challenger, champion))
  const decision = await decide(
    { ...plan.gate, anomalous: leftOf(plan.fit, window) },
    challenger,
    champion,
    gate,
    context.signal,
  )
  await context.log(decision.reason)

  await context.progress({ stage: 'publish', fraction: 0.98 })
  const summary = summaryOf(challenger, window, decision, context.job)
  return concluded(dependencies, plan, context, await registry.put(pipeline, artifact, summary, fence))
}

async function concluded(
  { registry, checkpoints }: RetrainDependencies,
  plan: RetrainPlan,
  context: JobContext,
  { version, summary }: ModelVersion,
): Promise<Readonly<Record<string, unknown>>> {
  await announce(registry, plan.promote, context, version, summary)
  await checkpoints?.remove(context.job)
  await context.progress({ stage: 'done', fraction: 1 })
  return { version, ...summary }
}

function settingsOf(plan: RetrainPlan, window: TrainingWindow, champion: Detector | undefined): FitSettings {
  const { thinning, falseAlarms: labels } = window
  const contamination = leftOf(plan.fit, window)
  const warmStart = champion !== undefined &&
    plan.warmStart !== 'never' && { artifact: champion.artifact, version: champion.modelVersion }
  return {
    ...plan.fit,
    ...{ thinning, labels, contamination, gate: false, source: plan.source },
    ...(warmStart && { warmStart }),
  }
}

function startOf({ manifest }: Detector, champion: Detector | undefined): string {
  const without = champion === undefined ? 'there is no champion yet' : 'retrain.warm_start is never'
  return `warm start: ${manifest.warm_start ?? `fresh: ${without}`}`
}

async function recalibratedChampion(
  champion: Detector,
  train: readonly RecordBatch[],
  { thinning }: TrainingWindow,
  context: JobContext,
): Promise<Uint8Array> {
  await context.progress({ stage: 'calibrate', fraction: 0.5 })
  await context.log(`recalibrates version ${champion.modelVersion}: its flows stay as they are`)
  return recalibrated(champion.artifact, train, {
    version: champion.modelVersion,
    thinning,
    signal: context.signal,
  })
}

/** The anomalous share of what is learned from: anomalies that the window left out count no more. */
function leftOf({ contamination = 0 }: FitSettings, { counts }: TrainingWindow): number {
  return Math.max(0, contamination - counts.improbable / Math.max(1, counts.kept + counts.improbable))
}

/** Nobody goes on with the job. A stale attempt leaves the checkpoints to the one that overtook it. */
function isFinal(error: unknown, last: boolean): boolean {
  if (isSurprisalError(error) && LEFT_TO_OTHERS.has(error.code)) return false
  return last || (isSurprisalError(error) && !error.retryable)
}

async function currentChampion(
  { registry, load }: RetrainDependencies,
  pipeline: string,
): Promise<Detector | undefined> {
  const champion = await registry.alias(pipeline, 'champion')
  return champion && load(await registry.get(pipeline, champion.version), champion.version)
}

async function windowOf(
  { checkpoints, labels }: RetrainDependencies,
  plan: RetrainPlan,
  context: JobContext,
  champion: Detector | undefined,
): Promise<TrainingWindow> {
  const { job } = context
  const earlier = await checkpoints?.loadWindow(job)
  if (earlier !== undefined) {
    await context.log(`attempt ${job.attempts} goes on with the window of the one before`)
    return earlier
  }
  await context.progress({ stage: 'collect', fraction: 0 })
  const window = await collectWindow(plan.window(context.signal), {
    minimumRecords: plan.minimumRecords,
    maximumRecords: Math.ceil((plan.fit.maxRows ?? MAX_ROWS) / (1 - GATE_SHARE)),
    seed: plan.fit.seed ?? 0,
    excluded: plan.excluded,
    ...(plan.fit.windows && { windows: plan.fit.windows }),
    named: plan.fit,
    labels: (plan.excludeAnomalies && (await labels?.labels(job.request.pipeline))) || [],
    signal: context.signal,
    ...(champion && plan.excludeAnomalies && { champion }),
    ...(champion?.lookBack && { beside: champion.lookBack() }),
  })
  for (const note of window.notes) await context.log(note)
  await context.log(`learning from ${window.counts.kept} of ${window.counts.read} records`)
  await checkpoints?.saveWindow(job, window)
  return window
}
