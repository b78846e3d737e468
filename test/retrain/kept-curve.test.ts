import { expect, it } from 'vitest'
import type { RetrainProgress } from '../../src/core/ports.ts'
import { keepingCurve } from '../../src/retrain/kept-curve.ts'
import { jobContext } from './job-context.ts'

it('goes on telling the loss curve of the latest fit', async () => {
  const request = { pipeline: 'p', trigger: 'cli', reason: 'r', who: 'w' } as const
  const job = { id: '1', request, created_at: '2026-03-01T08:00:00.000Z' }
  const told: RetrainProgress[] = []
  const context = keepingCurve({ ...jobContext(job), progress: async (update) => void told.push(update) })
  const curve = (loss: number) => [{ step: 1, train: loss, held_out: loss }]
  await context.progress({ stage: 'collect', fraction: 0 })
  await context.progress({ stage: 'fit', fraction: 0.5, curve: curve(2) })
  await context.progress({ stage: 'fit', fraction: 0.6, curve: curve(1) })
  await context.progress({ stage: 'done', fraction: 1 })
  expect(told.map((update) => update.curve)).toEqual([undefined, curve(2), curve(1), curve(1)])
})
