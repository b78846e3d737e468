import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readLabels } from '../../../src/app/files/read-labels.ts'
import { contentIdOf } from '../../../src/core/content-id.ts'
import { batchOfRows } from '../../../src/core/record.ts'

const folder = mkdtempSync(join(tmpdir(), 'surprisal-labels-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const { signal } = new AbortController()
const read = (name: string, text: string, ignored: string[] = []) => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return readLabels(path, ignored, signal)
}

describe('readLabels', () => {
  it('reads ids, and skips what nobody judged', async () => {
    expect(await read('ids.csv', 'id,label,note\nt-1,anomaly,broken\nt-2,,\nt-3,false_alarm,\n')).toEqual({
      labels: [
        { id: 't-1', label: 'anomaly' },
        { id: 't-3', label: 'false_alarm' },
      ],
    })
  })

  it('names records without an id by their fields, but for those that the fit ignores', async () => {
    const lines = ['{"amount":1.25,"city":"Bern","row":7,"label":"anomaly","note":"x"}', '']
    const { labels, fields } = await read('records.ndjson', lines.join('\n'), ['row'])
    expect(fields).toEqual(['amount', 'city'])
    const id = contentIdOf(batchOfRows([{ city: 'Bern', amount: 1.25 }]), 0)
    expect(labels).toEqual([{ id, label: 'anomaly' }])
  })

  it.each([
    ['other.csv', 'id,label\nt-1,maybe\n', 'USAGE'],
    ['none.csv', 'id,verdict\nt-1,anomaly\n', 'SCHEMA_MISMATCH'],
  ])('refuses %s', async (name, text, code) => {
    await expect(read(name, text)).rejects.toMatchObject({ code })
  })
})
