import { describe, expect, it } from 'vitest'
import { isSurprisalError } from '../../src/core/errors.ts'
import { random } from '../../src/core/random.ts'
import { realNvp } from '../../src/flow/architectures.ts'
import { type MemberJob, sharedRows } from '../../src/train/member.ts'
import { fitMembers, type MembersProgress } from '../../src/train/members.ts'

const DIM = 3
const rows = (count: number, seed: number) => {
  const rng = random(seed)
  const data = Float32Array.from({ length: count * DIM }, () => rng.normal())
  return sharedRows({ x: { rows: count, columns: DIM, data } })
}
const train = rows(200, 1)
const heldOut = rows(50, 2)
const job = (seed: number, over: Partial<MemberJob> = {}): MemberJob => ({
  spec: realNvp({ dim: DIM, steps: 2, hidden: [8] }),
  seed,
  train,
  heldOut,
  noise: { gaussian: new Float32Array(DIM).fill(0.05), uniform: new Float32Array(DIM) },
  budget: { batch: 32, steps: 30, learningRate: 1e-3, warmup: 5, evaluateEvery: 10, patience: 9 },
  ...over,
})
const jobs = [job(1), job(2), job(3)]
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('fitMembers', () => {
  it('gives the same flows on one thread and on two, in the order of the jobs', async () => {
    const seen: MembersProgress[] = []
    const one = await fitMembers(jobs, { threads: 1, onProgress: (p) => seen.push(p) })
    const two = await fitMembers(jobs, { threads: 2 })
    expect(two.map((fit) => fit.weights)).toEqual(one.map((fit) => fit.weights))
    expect(one[0].weights).not.toEqual(one[1].weights)
    expect(seen.map(({ member, step }) => [member, step])).toEqual(
      [0, 1, 2].flatMap((member) => [10, 20, 30].map((step) => [member, step])),
    )
    expect(seen.at(-1)!.done).toBe(1)
  })

  it('hands out checkpoints that resume to the same result', async () => {
    const first: Uint8Array[] = []
    const whole = await fitMembers([jobs[0]], { onCheckpoint: (_member, bytes) => first.push(bytes) })
    expect(first).toHaveLength(3)
    const [resumed] = await fitMembers([{ ...jobs[0], resume: first[1] }])
    expect(resumed.weights).toEqual(whole[0].weights)
  })

  it('stops on request', async () => {
    const stop = new AbortController()
    const long = job(1, { budget: { ...jobs[0].budget, steps: 1_000_000, patience: 1_000_000 } })
    const error = await failure(
      fitMembers([long, long], { threads: 2, signal: stop.signal, onProgress: () => stop.abort() }),
    )
    expect(isSurprisalError(error, 'ABORTED')).toBe(true)
  })

  it('fails with the code of the member that failed', async () => {
    const error = await failure(fitMembers([jobs[0], job(2, { heldOut: rows(0, 1) })], { threads: 1 }))
    expect(isSurprisalError(error, 'DATA_INSUFFICIENT')).toBe(true)
  })

  it('has nothing to do without members', async () => {
    expect(await fitMembers([])).toEqual([])
  })
})
