import { parameterCount } from '../../flow/layout.ts'
import { type BackendChoice, type BackendName, chooseBackend } from '../../train/backend.ts'
import type { FlowFit } from '../../train/fit.ts'
import { fitMember, type MemberJob } from '../../train/member.ts'
import { fitMembers, type MembersProgress } from '../../train/members.ts'
import type { RoundCheckpoints } from './fit-checkpoints.ts'

export interface FitFlowsOptions {
  readonly backend: BackendName | 'auto'
  readonly signal?: AbortSignal
  readonly checkpoints?: RoundCheckpoints
  /** Told what trains and why, before it does. */
  readonly onBackend?: (choice: Pick<BackendChoice, 'name' | 'reason'>) => void
  readonly onProgress?: (progress: MembersProgress) => void
}

/**
 * Fits every flow on the backend that suits the largest one: the kernel in as many threads as there are cores, any
 * other one flow after the other in this thread. Results in the order of the jobs.
 */
export async function fitFlows(
  flows: readonly MemberJob[],
  { backend, signal, checkpoints, onBackend, onProgress }: FitFlowsOptions,
): Promise<readonly FlowFit[]> {
  const jobs = flows.map((job, member) => {
    const resume = checkpoints?.resume(member)
    return resume === undefined ? job : { ...job, resume }
  })
  const sizes = jobs.map(({ spec, budget }) => ({ batch: budget.batch, parameters: parameterCount(spec) }))
  const work = (size: (typeof sizes)[number]) => size.batch * size.parameters
  const [largest] = sizes.sort((a, b) => work(b) - work(a))
  if (largest === undefined) return []
  const choice = await chooseBackend(backend, largest)
  onBackend?.(choice)
  const hooks = { ...(signal && { signal }), ...(onProgress && { onProgress }) }
  const save = checkpoints && ((member: number, bytes: Uint8Array) => checkpoints.save(member, bytes))
  if (choice.name === 'kernel') {
    try {
      return await fitMembers(jobs, { backend: choice.name, ...hooks, ...(save && { onCheckpoint: save }) })
    } finally {
      checkpoints?.flush()
    }
  }
  const fits: FlowFit[] = []
  const members = jobs.length
  for (const [member, job] of jobs.entries()) {
    fits.push(
      await fitMember(job, choice.create, {
        ...(signal && { signal }),
        ...(save && { onCheckpoint: (bytes: Uint8Array) => save(member, bytes) }),
        onProgress: (p) =>
          onProgress?.({ ...p, member, members, done: (member + p.step / p.steps) / members }),
      }),
    )
  }
  return fits
}
