import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { expect, it } from 'vitest'
import { PostgresScoreStore } from '../../connectors/postgres/score-store.ts'
import { packageRoot } from '../../src/core/package-root.ts'
import { MORNING, scoredBatch } from '../conformance/scored-batch.ts'
import { shared } from '../services/shared.ts'

interface Panel {
  readonly title: string
  readonly targets: readonly { readonly rawSql?: string }[]
}
const path = join(packageRoot, 'deploy/grafana/dashboards/surprisal.json')
const panels: readonly Panel[] = JSON.parse(readFileSync(path, 'utf8')).panels
const asked = panels.flatMap(({ title, targets }) => targets.map(({ rawSql }) => ({ title, rawSql })))

/** What Grafana makes of a panel's SQL before it asks PostgreSQL. */
function expanded(sql: string, pipeline: string): string {
  const iso = (time: number) => `'${new Date(time).toISOString()}'`
  return sql
    .replace(/\$\{pipeline\}/g, pipeline.replaceAll("'", "''"))
    .replace(/\$__timeFilter\((\w+)\)/g, `$1 BETWEEN ${iso(MORNING - 1)} AND ${iso(MORNING + 86_400_000)}`)
}

it('answers the SQL of every Grafana panel from the tables that the store makes', async () => {
  const url = new URL(await shared('postgres'))
  const database = `grafana_${randomBytes(6).toString('hex')}`
  const admin = new pg.Client({ connectionString: url.href })
  await admin.connect()
  await admin.query(`CREATE DATABASE ${database}`)
  url.pathname = database
  await using store = new PostgresScoreStore({ url: url.href })
  await store.open()
  await store.append(scoredBatch({ pipeline: "o'rders", rows: 400 }))
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  const panelsOfSql = asked.filter((panel) => panel.rawSql !== undefined)
  expect(panelsOfSql.length).toBeGreaterThan(0)
  for (const { title, rawSql } of panelsOfSql) {
    const { rows } = await client.query(expanded(rawSql!, "o'rders"))
    expect(rows.length, title).toBeGreaterThan(0)
    for (const row of rows) expect(Object.values(row), title).not.toContain(null)
  }
  await client.end()
  await admin.end()
})
