import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'vitest'
import { packageRoot } from '../../src/core/package-root.ts'
import type { ScoreStore } from '../../src/core/ports.ts'
import type { ScoredRecord, Verdict } from '../../src/core/scored.ts'
import { MORNING, scoredBatch } from './scored-batch.ts'

const FIXTURE = join(packageRoot, 'test/conformance/fixtures/append-until-killed.mjs')

/** Kills a process −9 while it appends, `kills` times over; acked records are there once, and a replay adds none. */
export async function surviveKills(
  compiled: string,
  className: string,
  options: object,
  reopen: () => Promise<ScoreStore>,
  kills: number,
): Promise<void> {
  const module = pathToFileURL(join(packageRoot, 'dist', compiled)).href
  for (let kill = 0; kill < kills; kill++) {
    const child = spawn(process.execPath, [FIXTURE, module, className, JSON.stringify(options)])
    let output = ''
    let errors = ''
    child.stderr.on('data', (chunk) => {
      errors += chunk
    })
    for await (const chunk of child.stdout) {
      output += chunk
      // A few appends later, at whatever point of one.
      if (output.split('\n').length > 3 + 4 * kill) {
        child.kill('SIGKILL')
        break
      }
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    expect(errors).toBe('')
    const acked = Number(output.trim().split('\n').at(-1))
    await using store = await reopen()
    const offsets = await offsetsOf(store)
    const flagged = (record: ScoredRecord) => record.is_anomaly
    expect(await recordsOf(store, ['anomaly'])).toEqual((await recordsOf(store)).filter(flagged))
    expect(new Set(offsets).size).toBe(offsets.length)
    expect(offsets.length).toBeGreaterThanOrEqual(acked)
    expect(offsets.length % 200).toBe(0)
    await store.append(scoredBatch({ pipeline: 'killed', rows: offsets.length + 50 }))
    expect((await offsetsOf(store)).length).toBe(offsets.length + 50)
    const day = 86_400_000
    const points = await store.series({ pipeline: 'killed', from: MORNING, to: MORNING + day, step: day })
    expect(points.reduce((sum, point) => sum + point.records, 0)).toBe(offsets.length + 50)
  }
}

async function offsetsOf(store: ScoreStore): Promise<number[]> {
  return (await recordsOf(store)).map((record) => record.source.offset)
}

async function recordsOf(store: ScoreStore, verdicts?: readonly Verdict[]): Promise<ScoredRecord[]> {
  const records: ScoredRecord[] = []
  let cursor: string | undefined
  do {
    const page = await store.query({ pipeline: 'killed', limit: 1000, cursor, ...(verdicts && { verdicts }) })
    records.push(...page.items)
    cursor = page.cursor ?? undefined
  } while (cursor !== undefined)
  return records
}
