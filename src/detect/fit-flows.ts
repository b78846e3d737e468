import type { FlowSpec } from '../core/flow-spec.ts'
import { parameterCount } from '../flow/layout.ts'
import { initialWeights } from '../flow/weights.ts'
import type { FlowRows, Noise } from '../train/augment.ts'
import { type BackendName, chooseBackend } from '../train/backend.ts'
import { type FitProgress, type FlowFit, fitFlow } from '../train/fit.ts'
import type { Budget } from '../train/schedule.ts'

/** One flow to fit. */
export interface FlowJob {
  readonly spec: FlowSpec
  readonly seed: number
  readonly train: FlowRows
  readonly heldOut: FlowRows
  readonly noise: Noise
  readonly budget: Budget
}

export interface FlowsProgress extends FitProgress {
  readonly member: number
  readonly members: number
  /** Of all flows together, 0 … 1. */
  readonly done: number
}

export interface FitFlowsOptions {
  readonly backend: BackendName | 'auto'
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: FlowsProgress) => void
}

/** Fits every flow on the backend that suits the largest; results in the order of the jobs. */
export async function fitFlows(
  jobs: readonly FlowJob[],
  { backend, signal, onProgress }: FitFlowsOptions,
): Promise<readonly FlowFit[]> {
  const sizes = jobs.map(({ spec, budget }) => ({ batch: budget.batch, parameters: parameterCount(spec) }))
  const largest = sizes.reduce((a, b) => (b.batch * b.parameters > a.batch * a.parameters ? b : a), {
    batch: 0,
    parameters: 0,
  })
  const choice = await chooseBackend(backend, largest)
  const fits: FlowFit[] = []
  for (const [member, { spec, seed, ...job }] of jobs.entries()) {
    await using trainer = await choice.create(spec, initialWeights(spec, seed))
    const report = (progress: FitProgress) =>
      onProgress?.({
        ...progress,
        member,
        members: jobs.length,
        done: (member + progress.step / progress.steps) / jobs.length,
      })
    fits.push(await fitFlow({ ...job, trainer, seed, onProgress: report, ...(signal && { signal }) }))
  }
  return fits
}
