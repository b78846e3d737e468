import { beforeAll, describe, expect, it } from 'vitest'
import { random } from '../../src/core/random.ts'
import { batchOfRows, type RecordBatch } from '../../src/core/record.ts'
import { Detector } from '../../src/detect/detector.ts'
import { fitDetector } from '../../src/detect/fit/fit-detector.ts'
import { selectRows } from '../../src/features/select-rows.ts'
import type { WindowOptions } from '../../src/features/windows/window-plan.ts'
import { decide } from '../../src/retrain/decide.ts'
import { collectWindow } from '../../src/retrain/training-window.ts'

const { signal } = new AbortController()
const LAG: WindowOptions = { fields: [{ field: 'x', lags: [1] }], clock: false }
const NONE: WindowOptions = { clock: false }

/** x wanders slowly, so that it is far better known after the one before; y is noise. */
function walk(count: number, seed: number, extra: object = {}): RecordBatch {
  const draw = random(seed)
  let x = 0
  const rows = Array.from({ length: count }, () => {
    x = 0.98 * x + 0.2 * draw.normal()
    return { x, y: draw.normal(), ...extra }
  })
  return batchOfRows(rows)
}
async function fitted(batch: RecordBatch, windows: WindowOptions, version: number): Promise<Detector> {
  const { artifact } = await fitDetector([batch], { windows, effort: 0.1, rate: 0.01, gate: false })
  return Detector.load(artifact, { modelVersion: version, workers: 0 })
}
/** A sample, as a job collects it to judge the two. */
async function window(batch: RecordBatch, windows: WindowOptions, champion: Detector) {
  async function* whole() {
    yield batch
  }
  return collectWindow(whole(), {
    minimumRecords: 1,
    maximumRecords: 600,
    excluded: [],
    labels: [],
    windows,
    signal,
    ...(champion.lookBack && { beside: champion.lookBack() }),
  })
}

describe('decide', () => {
  let looking: Detector
  let plain: Detector
  beforeAll(async () => {
    looking = await fitted(walk(3000, 1), LAG, 1)
    plain = await fitted(walk(3000, 1), NONE, 2)
  })

  it('lets a champion look back along the whole stream, of which the gate holds a sample', async () => {
    const { batches } = await window(walk(6000, 2), NONE, looking)
    const { promote, improvement, reason } = await decide({}, plain, looking, batches, signal)
    expect(promote, reason).toBe(false)
    expect(improvement?.mean).toBeLessThan(-0.5)
    const other = await window(walk(6000, 2), LAG, plain)
    const turned = await decide({}, looking, plain, other.batches, signal)
    expect(turned.improvement?.mean).toBeCloseTo(-(improvement?.mean ?? 0), 6)
  })

  it('does not compare with a champion whose past is not known, and says so', async () => {
    const gate = selectRows(
      walk(2000, 3),
      Uint32Array.from({ length: 300 }, (_, i) => 5 * i),
    )
    const { promote, improvement, reason } = await decide({}, plain, looking, [gate], signal)
    expect([promote, improvement]).toEqual([true, null])
    expect(reason).toContain('version 1 cannot score these records: what it looks back on is not known')
  })

  it('does not compare with a champion that cannot score the records, and plants faults where both look', async () => {
    const wider = await fitted(walk(3000, 4, { z: 1 }), NONE, 3)
    const { promote, reason } = await decide({}, plain, wider, [walk(500, 5)], signal)
    expect(promote).toBe(true)
    expect(reason).toMatch(/version 3 cannot score these records: .*"?z"?/)
    const { checks } = await decide({}, wider, plain, [walk(500, 5, { z: 1 })], signal)
    expect(checks.find(({ name }) => name === 'canaries')?.detail).toMatch(/of \d+ planted/)
  })
})
