import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { afterEach, describe, expect, it } from 'vitest'
import { type PipelineFile, pipelineSchema } from '../../config/pipeline.ts'
import { MemoryModelRegistry } from '../../connectors/memory/model-registry.ts'
import { MemoryScoreStore } from '../../connectors/memory/score-store.ts'
import { openHttp } from '../../src/app/http/open-http.ts'
import { openLabels } from '../../src/app/open-labels.ts'
import { scoredBatch } from '../conformance/scored-batch.ts'

const config = (more: Partial<PipelineFile>) =>
  pipelineSchema.parse({ name: 'orders', source: { type: 'file', paths: ['x.csv'] }, ...more })

describe('openLabels', () => {
  const undo: (() => unknown)[] = []
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step()
  })

  it('speaks to the process that runs the pipeline', async () => {
    const store = new MemoryScoreStore()
    await store.append(scoredBatch({ pipeline: 'orders', rows: 10 }))
    const http = await openHttp(
      { listen: '127.0.0.1:0', cors: [] },
      { store, labels: store, registry: new MemoryModelRegistry(), metrics: new Registry() },
    )
    undo.push(() => http[Symbol.asyncDispose]())
    const listen = new URL(http.url).host
    await using labels = await openLabels(config({ api: { listen } }))
    const said = await labels.say({ id: 'orders-0-3', label: 'false_alarm', note: 'new route' })
    expect(said).toMatchObject({ pipeline: 'orders', id: 'orders-0-3', note: 'new route' })
    expect(await labels.labels()).toEqual([said])
    expect(await store.labels('orders')).toEqual([said])
    await expect(labels.say({ id: 'nowhere-1', label: 'anomaly' })).rejects.toMatchObject({
      message: expect.stringContaining('no stored score'),
    })
  })

  it('opens the DuckDB file of a pipeline without an API', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'surprisal-labels-'))
    undo.push(() => rmSync(folder, { recursive: true, force: true }))
    const kept = config({ store: { type: 'duckdb', path: join(folder, 'scores.duckdb') } })
    await (async () => {
      await using labels = await openLabels(kept)
      await labels.say({ id: 't-0-1', label: 'anomaly' })
    })()
    await using again = await openLabels(kept)
    expect(await again.labels()).toMatchObject([{ id: 't-0-1', label: 'anomaly', pipeline: 'orders' }])
  })

  it('says what to do where labels cannot be reached', async () => {
    await expect(openLabels(config({}))).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(
      openLabels(config({ api: { listen: '127.0.0.1:9' } })).then((l) => l.labels()),
    ).rejects.toMatchObject({
      code: 'SERVICE_UNREACHABLE',
      message: expect.stringContaining('labels are kept'),
    })
  })
})
