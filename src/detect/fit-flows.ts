import { parameterCount } from '../flow/layout.ts'
import { type BackendName, chooseBackend } from '../train/backend.ts'
import type { FlowFit } from '../train/fit.ts'
import { fitMember, type MemberJob } from '../train/member.ts'
import { fitMembers, type MembersProgress } from '../train/members.ts'

export interface FitFlowsOptions {
  readonly backend: BackendName | 'auto'
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: MembersProgress) => void
}

/**
 * Fits every flow on the backend that suits the largest one: the kernel in as many threads as there are cores, any
 * other one flow after the other in this thread. Results in the order of the jobs.
 */
export async function fitFlows(
  jobs: readonly MemberJob[],
  { backend, signal, onProgress }: FitFlowsOptions,
): Promise<readonly FlowFit[]> {
  const sizes = jobs.map(({ spec, budget }) => ({ batch: budget.batch, parameters: parameterCount(spec) }))
  const work = (size: (typeof sizes)[number]) => size.batch * size.parameters
  const [largest] = sizes.sort((a, b) => work(b) - work(a))
  if (largest === undefined) return []
  const choice = await chooseBackend(backend, largest)
  const hooks = { ...(signal && { signal }), ...(onProgress && { onProgress }) }
  if (choice.name === 'kernel') return fitMembers(jobs, hooks)
  const fits: FlowFit[] = []
  const members = jobs.length
  for (const [member, job] of jobs.entries()) {
    fits.push(
      await fitMember(job, choice.create, {
        ...(signal && { signal }),
        onProgress: (p) =>
          onProgress?.({ ...p, member, members, done: (member + p.step / p.steps) / members }),
      }),
    )
  }
  return fits
}
