import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { describe, expect, it, vi } from 'vitest'
import { PostgresScoreStore } from '../../connectors/postgres/score-store.ts'
import { surviveKills } from '../conformance/killed-appender.ts'
import { scoreStoreSuite } from '../conformance/score-store.suite.ts'
import { hostileBatch, MORNING, scoredBatch } from '../conformance/scored-batch.ts'
import { startPostgres } from '../services/postgres.ts'
import { shared } from '../services/shared.ts'

const newSchema = () => `scores_${randomBytes(6).toString('hex')}`
const opened = async (options: ConstructorParameters<typeof PostgresScoreStore>[0]) => {
  const store = new PostgresScoreStore(options)
  await store.open()
  return store
}
const DAY = 86_400_000

scoreStoreSuite(
  'the PostgreSQL store',
  async (keep) =>
    new PostgresScoreStore({
      url: await shared('postgres'),
      schema: newSchema(),
      ...(keep && { keep: keep.rows, sample: keep.sample }),
    }),
)

describe('PostgresScoreStore', () => {
  it('migrates once when many processes start at once', async () => {
    const options = { url: await shared('postgres'), schema: newSchema() }
    const stores = await Promise.all([1, 2, 3, 4].map(() => opened(options)))
    await Promise.all(stores.map((store) => store.append(scoredBatch({ pipeline: 'p', rows: 30 }))))
    expect((await stores[0].query({ pipeline: 'p', limit: 100 })).items.length).toBe(30)
    await Promise.all(stores.map((store) => store[Symbol.asyncDispose]()))
  })

  it('loses nothing that was acked and doubles nothing when a writer is killed', async () => {
    const options = { url: await shared('postgres'), schema: newSchema() }
    await surviveKills(
      'connectors/postgres/score-store.js',
      'PostgresScoreStore',
      options,
      () => opened(options),
      2,
    )
  })

  it('says that the server does not answer, and goes on when it is back', async () => {
    const server = await startPostgres()
    const store = await opened({ url: server.url })
    await store.append(scoredBatch({ pipeline: 'p', rows: 10 }))
    await server.kill()
    await expect(store.append(scoredBatch({ pipeline: 'p', rows: 20 }))).rejects.toMatchObject({
      code: 'SERVICE_UNREACHABLE',
      retryable: true,
    })
    await expect(store.pipelines()).rejects.toMatchObject({ code: 'SERVICE_UNREACHABLE' })
    await expect(opened({ url: server.url })).rejects.toMatchObject({ code: 'SERVICE_UNREACHABLE' })
    await server.start()
    await vi.waitFor(() => store.append(scoredBatch({ pipeline: 'p', rows: 20 })), { timeout: 20_000 })
    expect((await store.query({ pipeline: 'p', limit: 100 })).items.length).toBe(20)
    await expect(opened({ url: `${server.url}_that_is_not_there` })).rejects.toMatchObject({
      code: 'SERVICE_REFUSED',
    })
    await store[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })

  it('stores texts that PostgreSQL cannot hold with U+FFFD in place of what it refuses', async () => {
    await using store = await opened({ url: await shared('postgres'), schema: newSchema() })
    const batch = scoredBatch({ pipeline: 'nul', rows: 1 })
    await store.append({
      ...batch,
      batch: { ...batch.batch, entity: ['a\0b\ud800'] },
      reasons: new Map([[0, ['x\0\udc00y']]]),
    })
    const { items } = await store.query({ pipeline: 'nul', limit: 1 })
    expect(items[0]).toMatchObject({ entity: 'a\ufffdb\ufffd', reasons: ['x\ufffd\ufffdy'] })
  })

  it('gives near days a partition, moves what lay in the shared one, and drops whole partitions', async () => {
    const [url, schema] = [await shared('postgres'), newSchema()]
    await using store = await opened({ url, schema })
    const pool = new pg.Pool({ connectionString: url, options: `-c search_path=${schema}`, max: 1 })
    const partitions = async () => {
      const { rows } = await pool.query(
        'SELECT tableoid::regclass::text AS name, count(*)::int AS n FROM scores GROUP BY 1 ORDER BY 1',
      )
      return Object.fromEntries(rows.map((row) => [row.name, row.n]))
    }
    const today = Math.floor(Date.now() / DAY) * DAY
    const at = (day: number, first: number) => {
      const batch = scoredBatch({ pipeline: 'p', rows: 10, first })
      return { ...batch, batch: { ...batch.batch, eventTime: batch.batch.eventTime!.map((_, i) => day + i) } }
    }
    await store.append(hostileBatch('far'))
    expect(await partitions()).toMatchObject({ scores_rest: 3 })
    await pool.query(
      `INSERT INTO scores (pipeline, prefix, "offset", model_version, time, scored_at, verdict, threshold)
       VALUES ('p', 'early', 0, 1, $1, now(), 'normal', 0.1)`,
      [new Date(today)],
    )
    await store.append(at(today, 0))
    await store.append(at(today - DAY, 10))
    const name = (day: number) => `scores_${new Date(day).toISOString().slice(0, 10).replaceAll('-', '_')}`
    expect(await partitions()).toMatchObject({ [name(today)]: 11, [name(today - DAY)]: 10 })
    expect(await store.retain('p', today)).toBe(10)
    expect(await store.retain('p', today + 5)).toBe(6)
    const { rows } = await pool.query('SELECT to_regclass($1) AS gone', [name(today - DAY)])
    expect(rows).toEqual([{ gone: null }])
    await store.append(at(today - DAY, 50))
    expect(await partitions()).toMatchObject({ [name(today - DAY)]: 10 })
    await pool.end()
  })

  it('adds its roll-ups up after many appends without changing them', async () => {
    await using store = await opened({ url: await shared('postgres'), schema: newSchema() })
    for (let first = 0; first < 3000; first += 40)
      await store.append(scoredBatch({ pipeline: 'p', rows: 40, first }))
    const points = await store.series({ pipeline: 'p', from: MORNING, to: MORNING + 3e6, step: 60_000 })
    expect(points.map((point) => point.records)).toEqual(Array(50).fill(60))
    await store.retain('p', MORNING)
    expect(await store.series({ pipeline: 'p', from: MORNING, to: MORNING + 3e6, step: 60_000 })).toEqual(
      points,
    )
  })

  it('is refused by a schema that a newer program made', async () => {
    const [url, schema] = [await shared('postgres'), newSchema()]
    await (await opened({ url, schema }))[Symbol.asyncDispose]()
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(`UPDATE ${schema}.schema_version SET version = 99`)
    await client.end()
    await expect(opened({ url, schema })).rejects.toMatchObject({ code: 'STORE_FAILED', retryable: false })
  })
})
