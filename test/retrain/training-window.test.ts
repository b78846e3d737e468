import { describe, expect, it } from 'vitest'
import { contentIdOf } from '../../src/core/content-id.ts'
import { SurprisalError } from '../../src/core/errors.ts'
import type { LabelledRecord, Scorer } from '../../src/core/ports.ts'
import { batchOfRows, type RecordBatch, rowOf } from '../../src/core/record.ts'
import { StreamWindows } from '../../src/features/windows/stream-windows.ts'
import { collectWindow, holdOutLatest } from '../../src/retrain/training-window.ts'

const signal = new AbortController().signal
const batch = (first: number, rows: number): RecordBatch =>
  batchOfRows(
    Array.from({ length: rows }, (_, i) => ({ x: first + i })),
    { prefix: 't-0', offsets: Float64Array.from({ length: rows }, (_, i) => first + i) },
    { eventTime: Float64Array.from({ length: rows }, (_, i) => 1000 * (first + i)) },
  )
async function* stream(...batches: RecordBatch[]): AsyncGenerator<RecordBatch> {
  yield* batches
}
const values = (batches: readonly RecordBatch[]): unknown[] =>
  batches.flatMap((b) => Array.from({ length: b.rows }, (_, row) => rowOf(b, row).x))
const label = (offset: number, what: LabelledRecord['label']): LabelledRecord => ({
  pipeline: 'p',
  id: `t-0-${offset}`,
  label: what,
  who: 'ada',
  at: '2026-01-01T00:00:00Z',
})
/** Finds every record with x in `improbable` far below its rate of 1 %. */
const champion = (improbable: readonly number[]): Scorer => ({
  modelVersion: 1,
  rate: 0.01,
  async score(scored) {
    const score = Float64Array.from({ length: scored.rows }, (_, row) =>
      improbable.includes(rowOf(scored, row).x as number) ? 5 : 2.5,
    )
    return {
      batch: scored,
      pipeline: 'p',
      modelVersion: 1,
      scoredAt: 0,
      threshold: 0.01,
      logProb: score,
      score,
      pValue: score.map((s) => 10 ** -s),
      pMethod: new Uint8Array(scored.rows),
      verdict: new Uint8Array(scored.rows),
      reasons: new Map(),
      attributions: new Map(),
    }
  },
  async [Symbol.asyncDispose]() {},
})
const rules = { minimumRecords: 1, excluded: [], labels: [], signal }

describe('collectWindow', () => {
  it('keeps everything where nothing speaks against it, and knows its bounds', async () => {
    const window = await collectWindow(stream(batch(0, 5), batch(5, 5)), rules)
    expect(values(window.batches)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(window).toMatchObject({ from: 0, to: 9000, counts: { read: 10, kept: 10 }, notes: [] })
  })

  it('samples a window that is larger than what is learned from, in order, and says so', async () => {
    const parts = Array.from({ length: 20 }, (_, i) => batch(500 * i, 500))
    const window = await collectWindow(stream(...parts), { ...rules, maximumRecords: 1000 })
    expect(window.counts).toMatchObject({ read: 10_000, kept: 1000 })
    expect(window.thinning).toBe(10)
    expect(window.notes).toEqual(['a uniform sample of 1000 of 10000 usable records is kept'])
    const kept = values(window.batches) as number[]
    expect(kept).toEqual(kept.toSorted((a, b) => a - b))
    expect(Math.max(...kept)).toBeGreaterThan(9500)
  })

  it('leaves out labelled anomalies and maintenance, and counts them', async () => {
    const window = await collectWindow(stream(batch(0, 10)), {
      ...rules,
      labels: [label(3, 'anomaly'), label(4, 'false_alarm')],
      excluded: [{ from: 6000, to: 8000 }],
    })
    expect(values(window.batches)).toEqual([4, 0, 1, 2, 5, 8, 9])
    expect(window.counts).toEqual({ read: 10, kept: 7, labelled: 1, excluded: 2, improbable: 0 })
  })

  it('leaves out by content, and hands false alarms on to the fit', async () => {
    const [seven, alarm] = [contentIdOf(batch(7, 1), 0), label(4, 'false_alarm')]
    const window = await collectWindow(stream(batch(0, 10)), {
      ...rules,
      labels: [{ ...label(0, 'anomaly'), id: seven }, alarm],
    })
    expect(values(window.batches)).toEqual([4, 0, 1, 2, 3, 5, 6, 8, 9])
    expect(window.falseAlarms).toEqual([alarm])
  })

  it('leaves out what lies far below the rate, not what is merely flagged, nor a false alarm', async () => {
    const window = await collectWindow(stream(batch(0, 200)), {
      ...rules,
      labels: [label(8, 'false_alarm')],
      champion: champion([7, 8]),
    })
    expect(window.counts).toMatchObject({ kept: 199, improbable: 1 })
    expect(values(window.batches)).not.toContain(7)
    expect(values(window.batches)).toContain(8)
  })

  it('learns a new normal instead of cutting it away', async () => {
    const window = await collectWindow(stream(batch(0, 100)), {
      ...rules,
      champion: champion(Array.from({ length: 50 }, (_, i) => i)),
    })
    expect(window.counts).toMatchObject({ kept: 100, improbable: 0 })
    expect(window.notes[0]).toMatch(/50 of 100 records lie far below/)
  })

  it('looks back as the champion does along all records, of which it keeps a sample', async () => {
    const lookBack = new StreamWindows({ fields: [{ field: 'x', lags: [2] }] })
    const { batches } = await collectWindow(stream(batch(0, 60), batch(60, 60)), {
      ...rules,
      maximumRecords: 20,
      windows: { clock: false },
      beside: lookBack,
    })
    expect(values(batches)).toHaveLength(20)
    const looked = batches.map((one) => lookBack.append(one))
    const lags = looked.flatMap((one) =>
      Array.from({ length: one.rows }, (_, row) => rowOf(one, row)['x[2]']),
    )
    expect(lags).toEqual(values(batches).map((x) => (Number(x) < 2 ? null : Number(x) - 2)))
    expect(batches[0].columns.has('x[2]')).toBe(false)
  })

  it('goes on where the champion cannot look back, or cannot judge, and says why', async () => {
    const gone = new SurprisalError('SCHEMA_MISMATCH', 'column "z" is missing')
    const { notes, counts } = await collectWindow(stream(batch(0, 60)), {
      ...rules,
      windows: { clock: false },
      champion: { ...champion([]), score: () => Promise.reject(gone) },
      beside: new StreamWindows({ fields: [{ field: 'z', lags: [1] }] }),
    })
    expect(counts.kept).toBe(60)
    expect(notes).toHaveLength(2)
    expect(notes[0]).toMatch(/^the champion cannot look back along the window \(column "z"/)
    expect(notes[1]).toMatch(/^the champion cannot score the window \(column "z" is missing\)/)
  })

  it('says what was found where it is too little', async () => {
    await expect(collectWindow(stream(batch(0, 5)), { ...rules, minimumRecords: 80 })).rejects.toMatchObject({
      code: 'DATA_INSUFFICIENT',
      message: expect.stringContaining('holds 5 usable records of 5 read, 80 are required'),
    })
  })
})

describe('holdOutLatest', () => {
  it('cuts the end off, inside a batch too, in order', () => {
    const { train, gate } = holdOutLatest([batch(0, 6), batch(6, 6)], 0.25)
    expect(values(train)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    expect(values(gate)).toEqual([9, 10, 11])
  })
})
