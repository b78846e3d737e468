import { describe, expect, it } from 'vitest'
import { batchOfRows, idOf } from '../../src/core/record.ts'
import { ANOMALY } from '../../src/core/scored.ts'
import { ReportCollector } from '../../src/report/collector.ts'
import { reportPage } from '../../src/report/page.ts'
import { sinkBatch } from '../conformance/sink-batch.ts'

const ABOUT = { data: ['<b>in</b>.csv'], model: 'm"&.safetensors', createdAt: new Date(0) }

describe('the report', () => {
  it('counts every record once and ranks the most surprising ones', () => {
    const collector = new ReportCollector()
    for (let first = 0; first < 3000; first += 1000) collector.add(sinkBatch({ rows: 1000, first }))
    const data = collector.data()
    expect(data.records).toBe(3000)
    expect(data.histogram.reduce((a, b) => a + b, 0)).toBe(3000 - data.unscored)
    expect(data.timeline.length).toBeLessThanOrEqual(240)
    expect(data.timed).toBe(true)
    const scores = data.top.map(({ record }) => record.score ?? 0)
    expect(scores).toEqual([...scores].sort((a, b) => b - a))
    expect(data.top).toHaveLength(50)
    expect(data.reasons[0].count).toBeGreaterThan(0)
  })

  it('escapes whatever the data holds', () => {
    const evil = '<script>alert(1)</script>"\'&'
    const scored = sinkBatch({ rows: 5 })
    const batch = batchOfRows(
      Array.from({ length: 5 }, () => ({ [evil]: evil })),
      {
        prefix: evil,
        offsets: { first: 0 },
      },
    )
    const collector = new ReportCollector()
    collector.add({ ...scored, batch, reasons: new Map([[0, [evil]]]) })
    const page = reportPage(collector.data(), ABOUT)
    expect(page).not.toContain('<script')
    expect(page).not.toContain('<b>in')
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;')
  })

  it('stands alone and needs no record', () => {
    const page = reportPage(new ReportCollector().data(), ABOUT)
    expect(page).toContain("default-src 'none'")
    expect(page).not.toMatch(/NaN px|undefined/)
  })

  it('shows suppressed records apart, by the rule, and never hides them', () => {
    const collector = new ReportCollector()
    const scored = sinkBatch({ rows: 60 })
    const row = scored.verdict.indexOf(ANOMALY)
    collector.add({ ...scored, suppressed: new Map([[row, 'load <test>']]) })
    const data = collector.data()
    const ids = (records: typeof data.top) => records.map(({ record }) => record.id)
    expect(data.suppressed).toBe(1)
    expect(data.anomalies).toBe(scored.verdict.filter((v) => v === ANOMALY).length)
    expect(data.rules).toEqual([{ name: 'load <test>', count: 1 }])
    expect(ids(data.topSuppressed)).toEqual([idOf(scored.batch.origin, row)])
    expect(ids(data.top)).not.toContain(idOf(scored.batch.origin, row))
    const page = reportPage(data, ABOUT)
    expect(page).toContain('suppressed by load &lt;test&gt;')
    expect(page.match(/of these suppressed/g)).toHaveLength(1)
  })

  it('tells of entities that were silent, stuck or too regular', () => {
    const collector = new ReportCollector()
    const alarm = { kind: 'stuck', entity: 'pump <3>', fields: ['x'], since: 0 } as const
    collector.alarm({ ...alarm, state: 'firing', summary: 'x is 1 for 9 records' })
    collector.alarm({ ...alarm, state: 'resolved', summary: 'x changes again' })
    expect(collector.data().strange).toEqual([{ name: 'stuck', count: 1 }])
    const page = reportPage(collector.data(), ABOUT)
    expect(page).toContain('<td>pump &lt;3&gt;</td><td>stuck</td><td>1970-01-01T00:00:00.000Z</td>')
    expect(page).not.toContain('changes again')
  })

  it('does not gather what is redacted', () => {
    const collector = new ReportCollector(['city'])
    collector.add(sinkBatch({ rows: 20 }))
    expect(reportPage(collector.data(), ABOUT)).not.toContain('Zürich')
  })
})
