import { describe, expect, it } from 'vitest'
import type { Scorer } from '../../src/core/ports.ts'
import { batchOfRows, cell, columnNamed, type RecordBatch } from '../../src/core/record.ts'
import { ANOMALY, NORMAL, UNSCORED } from '../../src/core/scored.ts'
import { backtest } from '../../src/retrain/backtest.ts'

const DAY = 86_400_000
const options = { seed: 1, limit: 10, signal: new AbortController().signal }

/** Record i has p = (i + 1) / rows; those with p ≤ rate are flagged, and so is what is not a whole number. */
const scorer = (rate: number): Scorer => ({
  modelVersion: 1,
  rate,
  async score(batch) {
    const values = Array.from({ length: batch.rows }, (_, row) => cell(columnNamed(batch, 'p'), row))
    const pValue = Float64Array.from(values, (value) =>
      typeof value === 'number' ? (Number.isInteger(value * 1000) ? value : 0) : Number.NaN,
    )
    return {
      batch,
      pipeline: 'p',
      modelVersion: 1,
      scoredAt: 0,
      threshold: rate,
      logProb: pValue,
      score: pValue.map((p) => -Math.log10(p)),
      pValue,
      pMethod: new Uint8Array(batch.rows),
      verdict: Uint8Array.from(pValue, (p) => (Number.isNaN(p) ? UNSCORED : p <= rate ? ANOMALY : NORMAL)),
      reasons: new Map(),
      attributions: new Map(),
    }
  },
  async [Symbol.asyncDispose]() {},
})
async function* past(rows = 1000): AsyncGenerator<RecordBatch> {
  const half = rows / 2
  for (let part = 0; part < 2; part++) {
    const numbers = Array.from({ length: half }, (_, i) => part * half + i)
    yield batchOfRows(
      numbers.map((i) => ({ p: i === 7 ? null : (i + 1) / 1000 })),
      { prefix: 't-0', offsets: Float64Array.from(numbers) },
      { eventTime: Float64Array.from(numbers, (i) => (i / (rows - 1)) * 2 * DAY) },
    )
  }
}

describe('backtest', () => {
  it('counts alarms a day, unscored records, canaries, and realised against nominal rates', async () => {
    const { models, from, to, difference } = await backtest(
      past(),
      [{ name: 'a', scorer: scorer(0.02) }],
      options,
    )
    expect([from, to]).toEqual(['1970-01-01T00:00:00.000Z', '1970-01-03T00:00:00.000Z'])
    expect(difference).toBeUndefined()
    const [{ calibration, canaries, canaries_found, ...rest }] = models
    expect(rest).toMatchObject({ model: 'a', records: 1000, alarms: 19, alarms_per_day: 9.5, unscored: 1 })
    expect(calibration.find(({ nominal }) => nominal === 0.1)?.realised).toBeCloseTo(99 / 999)
    expect(calibration.find(({ nominal }) => nominal === 0.0001)?.realised).toBe(0)
    expect(canaries).toBeGreaterThan(30)
    expect(canaries_found).toBeGreaterThan(0.3)
  })

  it('says record by record where two models differ, and lists no more than it is asked to', async () => {
    const two = [
      { name: 'a', scorer: scorer(0.02) },
      { name: 'b', scorer: scorer(0.05) },
    ]
    const { difference } = await backtest(past(), two, options)
    expect(difference).toMatchObject({ both: 19, only_model: 0, only_against: 30 })
    expect(difference?.records).toHaveLength(10)
    expect(difference?.records[0]).toMatchObject({
      id: 't-0-20',
      verdict: 'normal',
      verdict_against: 'anomaly',
      p_value: 0.021,
      p_value_against: 0.021,
    })
  })

  it('counts alarms with those that a rule suppresses and without, and what entities did', async () => {
    const plain = scorer(0.02)
    const explained: boolean[] = []
    const knowing: Scorer = {
      ...plain,
      async score(batch, given) {
        explained.push(given.explain)
        return { ...(await plain.score(batch, given)), suppressed: new Map([[1, 'load test']]) }
      },
    }
    const habits = {
      gaps: null,
      repeats: [{ field: 'p', probability: 0.001, longest: 1 }],
    }
    async function* stuck() {
      yield* past()
      yield batchOfRows(
        Array.from({ length: 6 }, () => ({ p: 0.5 })),
        { prefix: 't-0', offsets: { first: 1000 } },
      )
    }
    const { models } = await backtest(stuck(), [{ name: 'a', scorer: knowing, habits }], {
      ...options,
      explain: true,
      watch: { rate: 1e-6, kinds: ['stuck'] },
    })
    expect(models[0]).toMatchObject({ alarms: 19, suppressed: 3, alarms_per_day: 9.5, told_per_day: 8 })
    expect(models[0].entities).toEqual({ silent: 0, stuck: 1, regular: 0 })
    expect(explained).toEqual([true, false, true, false, true])
  })

  it('has no alarms a day for records without times', async () => {
    async function* timeless() {
      yield batchOfRows([{ p: 0.001 }, { p: 0.5 }])
    }
    const { models, from } = await backtest(timeless(), [{ name: 'a', scorer: scorer(0.02) }], options)
    expect([models[0].alarms, models[0].alarms_per_day, from]).toEqual([1, null, null])
  })
})
