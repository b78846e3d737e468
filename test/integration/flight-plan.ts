import { random } from '../../src/core/random.ts'
import { batchOfRows, type RecordBatch } from '../../src/core/record.ts'
import type { RetrainPlan } from '../../src/retrain/retrain-handler.ts'

export interface Flight {
  readonly distance: number
  readonly minutes: number
  readonly cabin: string
}
export const ROWS = 1300

/** Distance and duration go together. */
export function flights(rows: number, seed: number): Flight[] {
  const r = random(seed)
  return Array.from({ length: rows }, () => {
    const distance = 200 + 2000 * r.uniform()
    return { distance, minutes: distance / 10 + 10 * r.normal(), cabin: 'ABC'[r.integer(3)] }
  })
}
export const batch = (rows: readonly Flight[]): RecordBatch => batchOfRows(rows.map((row) => ({ ...row })))

export const planOf = (
  effort: number,
  rows: readonly RecordBatch[] = [batch(flights(ROWS, 1))],
): RetrainPlan => ({
  async *window() {
    yield* rows
  },
  source: 'test',
  fit: { effort, backend: 'kernel', rate: 0.02 },
  minimumRecords: 100,
  excluded: [],
  excludeAnomalies: true,
  promote: 'auto',
})
