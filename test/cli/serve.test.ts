import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DuckdbScoreStore } from '../../connectors/duckdb/score-store.ts'
import { scoredBatch } from '../conformance/scored-batch.ts'
import { surprisal } from './surprisal.ts'

let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'serve-'))
  const lines = ['name: orders', 'source: { type: file, paths: [none/*.csv] }']
  writeFileSync(join(folder, 'silent.yaml'), lines.join('\n'))
  writeFileSync(join(folder, 'pipeline.yaml'), [...lines, 'api: { listen: "127.0.0.1:0" }'].join('\n'))
  await using store = new DuckdbScoreStore({ path: join(folder, '.surprisal/orders.duckdb') })
  await store.open()
  await store.append(scoredBatch({ pipeline: 'orders', rows: 50 }))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('surprisal serve', () => {
  it('serves stored scores and the page until it is told to stop', async () => {
    const answers: string[] = []
    const { code, stderr } = await surprisal(['serve', 'pipeline.yaml'], {
      cwd: folder,
      during: (child) => {
        let log = ''
        child.stderr?.on('data', async (chunk) => {
          log += chunk
          const url = /"url":"([^"]+)"/.exec(log)?.[1]
          if (url === undefined || answers.length > 0) return
          answers.push(url)
          for (const path of ['/readyz', '/api/v1/pipelines/orders/scores?limit=1', '/pipelines/orders'])
            answers.push(await (await fetch(url + path)).text())
          child.kill('SIGTERM')
        })
      },
    })
    const [, ready, scores, page] = answers
    expect(JSON.parse(ready)).toEqual({ status: 'ready', reasons: [] })
    expect(JSON.parse(scores).items[0].id).toBe('orders-0-49')
    expect(page).toMatch(/<div id="page">/)
    expect(stderr).not.toContain('"level":50')
    expect(code).toBe(0)
  })

  it('names the process that has the DuckDB file, and where that serves its scores', async () => {
    await using owner = new DuckdbScoreStore({ path: join(folder, '.surprisal/orders.duckdb') })
    await owner.open()
    await owner.announce('http://127.0.0.1:8123')
    const { code, stderr } = await surprisal(['serve', 'pipeline.yaml'], { cwd: folder })
    expect(code).toBe(1)
    expect(stderr).toMatch(
      new RegExp(
        `STORE_LOCKED: .*orders.duckdb takes one process .*PID ${process.pid}.*http://127.0.0.1:8123`,
      ),
    )
    await owner[Symbol.asyncDispose]()
    expect(existsSync(join(folder, '.surprisal/orders.duckdb.owner'))).toBe(false)
  })

  it('says what is missing where there is nothing to serve', async () => {
    const { code, stderr } = await surprisal(['serve', 'silent.yaml'], { cwd: folder })
    expect(code).toBe(2)
    expect(stderr).toMatch(/USAGE: orders has no api: section/)
  })
})
