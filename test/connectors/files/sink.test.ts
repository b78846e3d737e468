import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../../../connectors/duckdb/database.ts'
import { fileSink } from '../../../connectors/files/open-sink.ts'
import type { ScoredRecord } from '../../../src/core/scored.ts'
import { type SinkHarness, sinkSuite } from '../../conformance/sink.suite.ts'
import { sinkBatch } from '../../conformance/sink-batch.ts'
import { temporaryFolder } from './temporary-folder.ts'

type Shown = Partial<ScoredRecord>
type Read = (path: string) => Promise<readonly Record<string, unknown>[]>

/** A cell of a columnar file as the wire record has it. */
function wire(row: Record<string, unknown>): Shown {
  const time = (value: unknown) =>
    value === null ? null : new Date(Number(value instanceof Date ? value.getTime() : value)).toISOString()
  return {
    ...row,
    reasons: [...((row.reasons as Iterable<string>) ?? [])],
    attribution: row.attribution === null ? [] : JSON.parse(String(row.attribution)),
    event_time: time(row.event_time),
    scored_at: time(row.scored_at),
  } as Shown
}

const arrow: Read = async (path) => {
  const table = tableFromIPC(readFileSync(path))
  return table.toArray().map((row) => wire({ ...row.toJSON() }))
}

const ndjson: Read = async (path) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

const sql =
  (from: (path: string) => string): Read =>
  async (path) => {
    const database = await openDatabase()
    const reader = await database.connection.runAndReadAll(`FROM ${from(path)}`)
    const rows = reader.getRowObjectsJS().map((row) => wire({ ...row }))
    database.close()
    return rows
  }
const parquet = sql((path) => `read_parquet('${path}')`)
const csv = sql(
  (path) =>
    `(SELECT * REPLACE (from_json(reasons, '["VARCHAR"]') AS reasons) FROM read_csv('${path}', header = true, types = {'model_version': 'INTEGER', 'severity': 'VARCHAR', 'reasons': 'VARCHAR', 'attribution': 'VARCHAR', 'p_method': 'VARCHAR'}))`,
)

function harness(extension: string, read: Read): () => Promise<SinkHarness> {
  return async () => {
    const parent = mkdtempSync(join(tmpdir(), 'surprisal-test-'))
    const folder = mkdtempSync(join(parent, 'out-'))
    const path = join(folder, `scores${extension}`)
    return {
      create: () => fileSink(path),
      async read() {
        if (!existsSync(folder)) return []
        const files = readdirSync(folder).filter((file) => !file.startsWith('.'))
        const parts = await Promise.all(files.sort(byPart).map((file) => read(join(folder, file))))
        return parts.flat() as Shown[]
      },
      async breakDown() {
        renameSync(folder, `${folder}-away`)
      },
      async heal() {
        renameSync(`${folder}-away`, folder)
      },
      async [Symbol.asyncDispose]() {
        rmSync(parent, { recursive: true, force: true })
      },
    }
  }
}

function byPart(a: string, b: string): number {
  const part = (name: string) => Number(name.match(/\.(\d+)\./)?.[1] ?? 1)
  return part(a) - part(b)
}

sinkSuite('an Arrow file', harness('.arrow', arrow))
sinkSuite('an NDJSON file', harness('.ndjson', ndjson))
sinkSuite('a CSV file', harness('.csv', csv))
sinkSuite('a Parquet file', harness('.parquet', parquet))

describe('fileSink', () => {
  it.each([
    ['.arrow', arrow],
    ['.ndjson', ndjson],
    ['.csv', csv],
    ['.parquet', parquet],
  ])('keeps input columns in %s', async (extension, read) => {
    const path = join(temporaryFolder(), `out${extension}`)
    const sink = await fileSink(path, { keep: ['amount', 'label', 'open', 'city', 'at'] })
    const scored = sinkBatch({ rows: 20 })
    await sink.write(scored)
    await sink.flush()
    const rows = await read(path)
    expect(rows.map(({ amount }) => amount)).toEqual(Array.from({ length: 20 }, (_, i) => i * 1.25))
    expect(rows.map(({ city }) => city)).toEqual(
      Array.from({ length: 20 }, (_, i) => (i % 4 === 0 ? null : `Zürich, "${i % 7}"\n`)),
    )
    expect(rows.map(({ open }) => open)).toEqual(Array.from({ length: 20 }, (_, i) => i % 3 === 0))
    expect(rows.map(({ at }) => new Date(at as string).getTime())).toEqual(
      Array.from({ length: 20 }, (_, i) => 1_700_000_000_000 + i * 1000),
    )
  })

  it.each(['.arrow', '.ndjson', '.csv', '.parquet'])(
    'leaves nothing behind after discard: %s',
    async (extension) => {
      const folder = temporaryFolder()
      const sink = await fileSink(join(folder, `out${extension}`))
      await sink.open(new AbortController().signal)
      await sink.write(sinkBatch({ rows: 5000 }))
      await sink.discard()
      await sink[Symbol.asyncDispose]()
      expect(readdirSync(folder)).toEqual([])
    },
  )

  it.each(['.arrow', '.ndjson', '.csv', '.parquet'])(
    'writes an empty file where nothing was scored: %s',
    async (extension) => {
      const folder = temporaryFolder()
      const path = join(folder, `out${extension}`)
      const sink = await fileSink(path)
      await sink.open(new AbortController().signal)
      await sink.flush()
      expect(readdirSync(folder)).toEqual([`out${extension}`])
      if (extension === '.arrow') expect(await arrow(path)).toEqual([])
      if (extension === '.parquet') expect(await parquet(path)).toEqual([])
    },
  )

  it('says that the disk is full, and leaves no file', async () => {
    const sink = await fileSink('/dev/full', { format: 'ndjson' })
    await expect(sink.write(sinkBatch({ rows: 10 }))).rejects.toMatchObject({
      code: 'DISK_FULL',
      message: expect.stringContaining('/dev/full'),
    })
  })

  it('refuses an unknown extension, a missing folder and a folder', async () => {
    const folder = temporaryFolder()
    await expect(fileSink('scores.xls')).rejects.toMatchObject({ code: 'USAGE' })
    const lost = await fileSink(join(folder, 'no', 'scores.arrow'))
    await expect(lost.open(new AbortController().signal)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
    const taken = await fileSink(folder, { format: 'arrow' })
    await expect(taken.open(new AbortController().signal)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  })
})
