import { describe, expect, it } from 'vitest'
import { batchOfRows } from '../../src/core/record.ts'
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
    expect(data.reasons[0].records).toBeGreaterThan(0)
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

  it('does not gather what is redacted', () => {
    const collector = new ReportCollector(['city'])
    collector.add(sinkBatch({ rows: 20 }))
    expect(reportPage(collector.data(), ABOUT)).not.toContain('Zürich')
  })
})
