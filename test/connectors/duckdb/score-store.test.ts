import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { DuckdbScoreStore } from '../../../connectors/duckdb/score-store.ts'
import { scoreStoreSuite } from '../../conformance/score-store.suite.ts'

let folder: string
let files = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scores-'))
})
afterAll(() => rm(folder, { recursive: true }))

const path = () => join(folder, `${files++}.duckdb`)

scoreStoreSuite(
  'the DuckDB store',
  async (keep) =>
    new DuckdbScoreStore({ path: path(), ...(keep && { keep: keep.rows, sample: keep.sample }) }),
)
