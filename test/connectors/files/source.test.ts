import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../../../connectors/duckdb/database.ts'
import { openFiles } from '../../../connectors/files/open.ts'
import { rowOf } from '../../../src/core/record.ts'
import { type PlainRecord, type SourceHarness, sourceSuite } from '../../conformance/source.suite.ts'
import { writeArrow } from '../arrow/write-arrow.ts'
import { temporaryFolder } from './temporary-folder.ts'

const NO_POSITION = [
  {
    tests: ['does not bring acked records again after a restart'],
    reason: 'a file has no committed position: a restart reads from the start, and ids make sinks idempotent',
  },
]

type Write = (path: string, records: readonly PlainRecord[]) => Promise<void>

function harness(extension: string, write: Write): () => Promise<SourceHarness> {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), 'surprisal-test-'))
    const path = join(folder, `in${extension}`)
    return {
      publish: (records) => write(path, records),
      start: ({ rows }) => openFiles([path], { rows }),
      async [Symbol.asyncDispose]() {
        rmSync(folder, { recursive: true })
      },
    }
  }
}

const ndjson: Write = async (path, records) =>
  writeFileSync(path, records.map((record) => JSON.stringify(record)).join('\n'))

const csv: Write = async (path, records) => {
  const names = Object.keys(records[0])
  const lines = records.map((record) => names.map((name) => record[name] ?? '').join(','))
  writeFileSync(path, [names.join(','), ...lines].join('\n'))
}

const parquet: Write = async (path, records) => {
  const lines = `${path}.ndjson`
  await ndjson(lines, records)
  const database = await openDatabase()
  await database.connection.run(`COPY (FROM read_json('${lines}')) TO '${path}' (FORMAT parquet)`)
  database.close()
}

const arrow = (layout: 'file' | 'stream') => (path: string, records: readonly PlainRecord[]) =>
  writeArrow(path, records, { layout })

sourceSuite('an Arrow file', harness('.arrow', arrow('file')), NO_POSITION)
sourceSuite('an Arrow stream', harness('.arrows', arrow('stream')), NO_POSITION)
sourceSuite('an NDJSON file', harness('.ndjson', ndjson), NO_POSITION)
sourceSuite('a CSV file', harness('.csv', csv), NO_POSITION)
sourceSuite('a Parquet file', harness('.parquet', parquet), NO_POSITION)

async function records(paths: readonly string[], options: Parameters<typeof openFiles>[1] = {}) {
  await using source = await openFiles(paths, options)
  const rows: Record<string, unknown>[] = []
  const ids: string[] = []
  for await (const { batch } of source.deliveries(new AbortController().signal))
    for (let row = 0; row < batch.rows; row++) {
      rows.push({ ...rowOf(batch, row) })
      ids.push(
        `${batch.origin.prefix}-${'first' in batch.origin.offsets ? batch.origin.offsets.first + row : batch.origin.offsets[row]}`,
      )
    }
  return { rows, ids }
}

describe('openFiles', () => {
  it('reads several files and patterns in order, with ids of path and row', async () => {
    const folder = temporaryFolder()
    await ndjson(join(folder, 'b.ndjson'), [{ a: 3 }])
    await ndjson(join(folder, 'a.ndjson'), [{ a: 1 }, { a: 2 }])
    const { rows, ids } = await records([join(folder, '*.ndjson')])
    expect(rows).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }])
    expect(ids).toEqual([`${folder}/a.ndjson-0`, `${folder}/a.ndjson-1`, `${folder}/b.ndjson-0`])
  })

  it('reads a file whose name is a pattern', async () => {
    const folder = temporaryFolder()
    await csv(join(folder, 'x[1]*.csv'), [{ a: 1 }])
    await csv(join(folder, 'x1.csv'), [{ a: 2 }])
    expect((await records([join(folder, 'x[1]*.csv')])).rows).toEqual([{ a: 1 }])
  })

  it('keeps the rows that meet all conditions, with the ids they had', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'in.arrow')
    const all = Array.from({ length: 100 }, (_, i) => ({ i, label: i % 4, kind: i % 3 === 0 ? 'x' : 'y' }))
    await writeArrow(path, all)
    const where = [
      { column: 'label', value: '0' },
      { column: 'kind', value: 'x' },
    ]
    const { rows, ids } = await records([path], { where, columns: ['i'] })
    const kept = all.filter(({ label, kind }) => label === 0 && kind === 'x')
    expect(rows.map(({ i }) => i)).toEqual(kept.map(({ i }) => i))
    expect(ids).toEqual(kept.map(({ i }) => `${path}-${i}`))
  })

  it('takes event time and entity from the columns that are named', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'in.ndjson')
    await ndjson(path, [
      { at: '2024-01-02T03:04:05Z', who: 'a' },
      { at: 'never', who: null },
    ])
    await using source = await openFiles([path], { time: 'at', entity: 'who' })
    for await (const { batch } of source.deliveries(new AbortController().signal)) {
      expect([...(batch.eventTime ?? [])]).toEqual([Date.parse('2024-01-02T03:04:05Z'), Number.NaN])
      expect(batch.entity).toEqual(['a', null])
    }
  })

  it.each([
    ['a missing file', 'no.arrow', null, 'FILE_NOT_FOUND', /no such file/],
    ['a pattern without a match', '*.arrow', null, 'FILE_NOT_FOUND', /no file matches/],
    ['an empty file', 'e.arrow', '', 'FILE_EMPTY', /is empty/],
    ['text named .arrow', 'a.arrow', 'a,b\n1,2\n', 'FILE_FORMAT', /is no Arrow file/],
    ['text named .parquet', 'a.parquet', 'a,b\n1,2\n', 'FILE_FORMAT', /is no Parquet file/],
    ['a truncated Parquet file', 'b.parquet', 'PAR1garbage garbage', 'FILE_FORMAT', /b\.parquet/],
    ['a JSON array', 'a.json', '[{"a":1}]', 'FILE_FORMAT', /one object a line/],
    ['unknown bytes', 'a.bin', '\0\x01\x02', 'FILE_FORMAT', /unknown binary/],
    ['doubled CSV columns', 'd.csv', 'a,b,a\n1,2,3\n', 'SCHEMA_MISMATCH', /two columns named "a"/],
    ['a CSV file without a header', 'h.csv', '1,2\n3,4\n', 'FILE_FORMAT', /no header row/],
  ])('refuses %s', async (_, name, content, code, message) => {
    const path = join(temporaryFolder(), name)
    if (content !== null) writeFileSync(path, content)
    await expect(openFiles([path])).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  it('refuses a folder', async () => {
    await expect(openFiles([temporaryFolder()])).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  })

  it('refuses files whose schemas differ, before the first record', async () => {
    const folder = temporaryFolder()
    await writeArrow(join(folder, 'a.arrow'), [{ a: 1, b: 'x' }])
    await writeArrow(join(folder, 'b.arrow'), [{ a: 'one', b: 'x' }])
    const paths = [join(folder, 'a.arrow'), join(folder, 'b.arrow')]
    await expect(openFiles(paths)).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringMatching(/column "a" is Float64 in .*a\.arrow and .*Utf8.* in .*b\.arrow/),
    })
    expect((await records(paths, { ignore: ['a'] })).rows).toEqual([{ b: 'x' }, { b: 'x' }])
  })

  it('suggests the column that was meant', async () => {
    const path = join(temporaryFolder(), 'a.arrow')
    await writeArrow(path, [{ amount: 1 }])
    await expect(openFiles([path], { columns: ['amuont'] })).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringContaining('did you mean "amount"?'),
    })
  })

  it('reads a gzipped CSV file', async () => {
    const path = join(temporaryFolder(), 'a.csv')
    await csv(path, [{ a: 1 }, { a: 2 }])
    execFileSync('gzip', [path])
    expect((await records([`${path}.gz`])).rows).toEqual([{ a: 1 }, { a: 2 }])
  })
})
