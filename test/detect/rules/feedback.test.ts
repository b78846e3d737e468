import { describe, expect, it } from 'vitest'
import { contentIdOf } from '../../../src/core/content-id.ts'
import { random } from '../../../src/core/random.ts'
import { batchOfRows, rowOf } from '../../../src/core/record.ts'
import { Detector } from '../../../src/detect/detector.ts'
import { type FitDetectorOptions, fitDetector } from '../../../src/detect/fit/fit-detector.ts'
import { Feedback } from '../../../src/detect/rules/feedback.ts'

const batch = batchOfRows([{ x: 1 }, { x: 2 }, { x: 3 }, { x: 2 }])
const twos = contentIdOf(batch, 1)

describe('Feedback', () => {
  it('finds records by id and by content, the id first', () => {
    const feedback = new Feedback([
      { id: 'row-0', label: 'anomaly' },
      { id: twos, label: 'anomaly' },
      { id: 'row-3', label: 'false_alarm' },
    ])
    expect([0, 1, 2, 3].map((row) => feedback.of(batch, row))).toEqual([
      'anomaly',
      'anomaly',
      undefined,
      'false_alarm',
    ])
    const { unlabelled, falseAlarms, anomalies } = feedback.sort(batch)
    expect(rowOf(unlabelled, 0)).toEqual({ x: 3 })
    expect(rowOf(falseAlarms, 0)).toEqual({ x: 2 })
    expect([unlabelled.rows, falseAlarms.rows, anomalies]).toEqual([1, 1, 2])
  })

  it('lets the later of two labels hold, and leaves a batch that nobody judged as it is', () => {
    const [first, second] = [
      { id: 'row-0', label: 'anomaly' },
      { id: 'row-0', label: 'false_alarm' },
    ] as const
    expect(new Feedback([first, second]).of(batch, 0)).toBe('false_alarm')
    expect(new Feedback([]).sort(batch).unlabelled).toBe(batch)
    expect(new Feedback([{ id: 'elsewhere-1', label: 'anomaly' }]).sort(batch).unlabelled).toBe(batch)
  })
})

describe('a fit that was told', () => {
  const r = random(3)
  /** A clump of 25 odd records among 1,200. */
  const records = Array.from({ length: 1200 }, (_, i) =>
    i % 48 === 0 ? { x: 6 + 0.1 * r.normal(), y: -6 + 0.1 * r.normal() } : { x: r.normal(), y: r.normal() },
  )
  const learned = batchOfRows(records)
  const clump = records.flatMap((_, i) => (i % 48 === 0 ? [i] : []))
  const odd = [{ x: 6, y: -6 }]
  const pOf = async (options: FitDetectorOptions) => {
    const { artifact, manifest } = await fitDetector([learned], { effort: 0.05, rate: 0.01, ...options })
    await using detector = await Detector.load(artifact, { workers: 0 })
    const [{ p_value, verdict }] = await detector.score(odd)
    return { p: p_value!, verdict, labelled: manifest.lineage.labelled, records: manifest.lineage.records }
  }

  it('leaves labelled anomalies out, by id or by content', async () => {
    const untold = await pOf({})
    expect(untold).toMatchObject({ verdict: 'normal', labelled: { anomalies: 0 }, records: 1200 })
    for (const id of [(i: number) => `row-${i}`, (i: number) => contentIdOf(learned, i)]) {
      const told = await pOf({ labels: clump.map((i) => ({ id: id(i), label: 'anomaly' })) })
      expect(told).toMatchObject({ verdict: 'anomaly', labelled: { anomalies: 25 }, records: 1200 })
      expect(told.p).toBeLessThan(untold.p)
    }
  })

  it('counts false alarms as normal, whatever contamination and the sample say', async () => {
    const warned = await pOf({ contamination: 0.05 })
    expect(warned.verdict).toBe('anomaly')
    const told = await pOf({
      contamination: 0.05,
      maxRows: 1100,
      labels: clump.map((i) => ({ id: `row-${i}`, label: 'false_alarm' })),
    })
    expect(told).toMatchObject({ verdict: 'normal', labelled: { false_alarms: 25 } })
    expect(told.p).toBeGreaterThan(warned.p)
  })
})
