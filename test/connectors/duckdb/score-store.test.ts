import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DuckdbScoreStore } from '../../../connectors/duckdb/score-store.ts'
import { packageRoot } from '../../../src/core/package-root.ts'
import { surviveKills } from '../../conformance/killed-appender.ts'
import { scoreStoreSuite } from '../../conformance/score-store.suite.ts'
import { hostileBatch, MORNING, scoredBatch } from '../../conformance/scored-batch.ts'

let folder: string
let files = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scores-'))
})
afterAll(() => rm(folder, { recursive: true }))

const path = () => join(folder, 'new folder', `${files++}.duckdb`)
const opened = async (options: ConstructorParameters<typeof DuckdbScoreStore>[0]) => {
  const store = new DuckdbScoreStore(options)
  await store.open()
  return store
}
/** Runs statements on a file that no store has open. */
const altered = async (file: string, ...statements: string[]) => {
  const instance = await DuckDBInstance.create(file)
  const connection = await instance.connect()
  for (const statement of statements) await connection.run(statement)
  connection.closeSync()
  instance.closeSync()
}

scoreStoreSuite(
  'the DuckDB store',
  async (keep) =>
    new DuckdbScoreStore({ path: path(), ...(keep && { keep: keep.rows, sample: keep.sample }) }),
)

describe('a DuckDB file', () => {
  it('is there again after a restart', async () => {
    const file = path()
    const batch = scoredBatch({ pipeline: 'p', rows: 50 })
    {
      await using store = await opened({ path: file })
      await store.append(batch)
    }
    await using store = await opened({ path: file })
    await store.append(batch)
    expect((await store.query({ pipeline: 'p', limit: 100 })).items.length).toBe(50)
  })

  it('loses nothing that was acked and doubles nothing when its process is killed', async () => {
    const file = path()
    await surviveKills(
      'connectors/duckdb/score-store.js',
      'DuckdbScoreStore',
      { path: file },
      () => opened({ path: file }),
      3,
    )
  })

  it('takes one process at a time, however its path is written', async () => {
    const file = path()
    await using _store = await opened({ path: file })
    await symlink(join(folder, 'new folder'), join(folder, 'link'))
    const again = join(folder, 'link', `${files - 1}.duckdb`)
    await expect(opened({ path: again })).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      message: expect.stringContaining('one process at a time'),
    })
    const module = pathToFileURL(join(packageRoot, 'dist/connectors/duckdb/score-store.js')).href
    const script = `const { DuckdbScoreStore } = await import(${JSON.stringify(module)})
      await new DuckdbScoreStore({ path: process.argv[1] }).open().catch((e) => console.log(e.code, e.message))`
    const other = spawnSync(process.execPath, ['--input-type=module', '-e', script, file], {
      encoding: 'utf8',
    })
    expect(other.stdout).toMatch(/^STORE_LOCKED .*PID \d+/)
  })

  it('is refused when it is something else', async () => {
    const text = join(folder, 'text.duckdb')
    await writeFile(text, 'id,score\n1,2\n'.repeat(2000))
    await expect(opened({ path: text })).rejects.toMatchObject({ code: 'FILE_FORMAT' })
    await expect(opened({ path: folder })).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
    await expect(opened({ path: join(text, 'x.duckdb') })).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
    expect(() => new DuckdbScoreStore({ path: '', memory_limit: 'lots' })).toThrow()
  })

  it('brings itself up to date when an older program made it', async () => {
    const file = path()
    const anomalies = { pipeline: 'p', verdicts: ['anomaly'], limit: 100 } as const
    const before = await opened({ path: file })
    await before.append(scoredBatch({ pipeline: 'p', rows: 200 }))
    const { items } = await before.query(anomalies)
    expect(items.length).toBeGreaterThan(10)
    await before[Symbol.asyncDispose]()
    await altered(file, 'DROP TABLE anomalies', 'UPDATE surprisal_schema SET version = 2')
    for (let opening = 0; opening < 2; opening++) {
      await using after = await opened({ path: file })
      expect((await after.query(anomalies)).items).toEqual(items)
    }
    await using after = await opened({ path: file })
    await after.append(scoredBatch({ pipeline: 'p', rows: 300 }))
    expect((await after.query(anomalies)).items.length).toBeGreaterThan(items.length)
  })

  it('is refused when a newer program made it', async () => {
    const file = path()
    await (await opened({ path: file }))[Symbol.asyncDispose]()
    await altered(file, 'UPDATE surprisal_schema SET version = 99')
    await expect(opened({ path: file })).rejects.toMatchObject({ code: 'FILE_FORMAT' })
  })

  it('is not used before open and after dispose', async () => {
    const store = new DuckdbScoreStore({ path: path() })
    await expect(store.pipelines()).rejects.toMatchObject({ code: 'STORE_FAILED', retryable: false })
    await expect(store.append(scoredBatch({ pipeline: 'p', rows: 1 }))).rejects.toMatchObject({
      code: 'STORE_FAILED',
    })
  })

  it('adds its roll-ups up after many appends without changing them', async () => {
    await using store = await opened({ path: path() })
    for (let first = 0; first < 3000; first += 40) {
      await store.append(scoredBatch({ pipeline: 'p', rows: 40, first }))
    }
    const points = await store.series({ pipeline: 'p', from: MORNING, to: MORNING + 3e6, step: 60_000 })
    expect(points.map((point) => point.records)).toEqual(Array(50).fill(60))
    expect(await store.retain('p', MORNING + 1_500_000)).toBe(1500)
    expect(await store.series({ pipeline: 'p', from: MORNING, to: MORNING + 3e6, step: 60_000 })).toEqual(
      points,
    )
  })

  it('forgets gaps between offsets that are older than what it keeps', async () => {
    await using store = await opened({ path: path() })
    for (const first of [0, 20, 40]) await store.append(scoredBatch({ pipeline: 'p', rows: 10, first }))
    await store.retain('p', Date.now() + 1000)
    await store.append(scoredBatch({ pipeline: 'p', rows: 60 }))
    expect((await store.query({ pipeline: 'p', limit: 100 })).items.map((r) => r.source.offset)).toEqual([
      59, 58, 57, 56, 55, 54, 53, 52, 51, 50,
    ])
  })

  it('drops old scores by itself where days are set', async () => {
    await using store = await opened({ path: path(), retention_days: 1 })
    await store.append(scoredBatch({ pipeline: 'p', rows: 10 }))
    expect((await store.query({ pipeline: 'p', limit: 100 })).items).toEqual([])
  })

  it('writes Parquet that reads back', async () => {
    await using store = await opened({ path: path() })
    await store.append(scoredBatch({ pipeline: 'p', rows: 100 }))
    await store.append(hostileBatch('p'))
    const target = join(folder, "it's.parquet")
    expect(
      await store.exportParquet(target, { pipeline: 'p', verdicts: ['normal'], from: MORNING }),
    ).toBeGreaterThan(80)
    const instance = await DuckDBInstance.create()
    const connection = await instance.connect()
    const read = await connection.runAndReadAll(
      'SELECT count(*), any_value(verdict), min(id) FROM read_parquet($1)',
      [target],
    )
    expect(read.getRowsJS()[0].slice(1)).toEqual(['normal', 'orders-0-0'])
  })
})
