import type { MemoryModelRegistry } from '../../connectors/memory/model-registry.ts'
import { SurprisalError } from '../../src/core/errors.ts'
import type { JobContext } from '../../src/core/ports.ts'
import { RATE } from './demo-scores.ts'

/** Three versions, the second of which is champion, the third waiting. */
export async function models(registry: MemoryModelRegistry): Promise<void> {
  const nlls = [-1.482, -1.517, -1.533]
  for (const [i, nll] of nlls.entries()) {
    const summary = {
      architecture: i === 0 ? 'real-nvp' : 'glow',
      engine: 'kernel',
      held_out_nll: nll,
      rate: RATE,
      window: {
        records: 180_000 + 1000 * i,
        from: '2026-02-20T00:00:00.000Z',
        to: `2026-02-2${5 + i}T00:00:00.000Z`,
      },
      decision: i === 2 ? 'waits for approval' : 'nowhere worse than the champion',
    }
    await registry.put('flights', Buffer.alloc(480_000 + i), summary, await registry.fence('flights'))
  }
  await registry.setAlias('flights', 'champion', 1, 'ada', 'the first model')
  await registry.setAlias(
    'flights',
    'champion',
    2,
    'trainer',
    'NLL lower by 0.035 nats (95 %: 0.021 to 0.049)',
  )
  await registry.setAlias('flights', 'challenger', 3, 'trainer', 'waits for approval')
}

/** A job that takes its time, and that fails for one pipeline. */
export async function train({ job, signal, progress, log }: JobContext, ms: number) {
  await log(`collected 180,000 records for ${job.request.pipeline}`)
  const curve: { step: number; train: number; held_out: number }[] = []
  for (let step = 0; step <= 40; step++) {
    signal.throwIfAborted()
    curve.push({
      step: step * 50,
      train: 2 * Math.exp(-step / 9) - 1.55,
      held_out: 2 * Math.exp(-step / 9) - 1.51,
    })
    await progress({
      stage: 'fit',
      fraction: step / 40,
      seconds_left: ((40 - step) * ms) / 40_000,
      held_out_nll: curve[step].held_out,
      curve: [...curve],
    })
    if (job.request.pipeline === 'payments' && step === 10)
      throw new SurprisalError('DATA_INSUFFICIENT', 'the window holds 12 records, 500 are needed')
    if (step % 10 === 0) await log(`step ${step * 50}: held-out NLL ${curve[step].held_out.toFixed(3)}`)
    await new Promise((resolve) => setTimeout(resolve, ms / 40))
  }
  return { version: 4 }
}
