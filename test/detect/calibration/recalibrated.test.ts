import { describe, expect, it } from 'vitest'
import { random } from '../../../src/core/random.ts'
import { batchOfRows, type RecordBatch } from '../../../src/core/record.ts'
import { recalibrated } from '../../../src/detect/calibration/recalibrated.ts'
import { Detector } from '../../../src/detect/detector.ts'
import { fitDetector } from '../../../src/detect/fit/fit-detector.ts'
import { readArtifact } from '../../../src/detect/model-file/artifact.ts'

const signal = new AbortController().signal
const flights = (rows: number, seed: number, spread: number): RecordBatch => {
  const r = random(seed)
  return batchOfRows(
    Array.from({ length: rows }, () => {
      const distance = 200 + 2000 * r.uniform()
      return { distance, minutes: distance / 10 + spread * r.normal(), cabin: 'ABC'[r.integer(3)] }
    }),
  )
}
const alarms = async (artifact: Uint8Array, batch: RecordBatch): Promise<number> => {
  await using detector = await Detector.load(artifact, { workers: 0 })
  const { verdict } = await detector.score(batch, { explain: false })
  return verdict.filter((v) => v === 1).length / batch.rows
}

describe('recalibrated', async () => {
  const { artifact } = await fitDetector([flights(2000, 1, 10)], { rate: 0.02, effort: 0.1 })
  const recent = flights(3000, 2, 16)

  it('brings the alarm rate of a wider stream back to nominal, with the same flows', async () => {
    expect(await alarms(artifact, flights(4000, 3, 16))).toBeGreaterThan(0.06)
    const anew = await recalibrated(artifact, [recent], { version: 4, thinning: 1, signal })
    expect(await alarms(anew, flights(4000, 3, 16))).toBeLessThan(0.035)
    const [before, after] = [readArtifact(artifact), readArtifact(anew)]
    expect(after.weights).toEqual(before.weights)
    expect(after.manifest).toMatchObject({ measure: before.manifest.measure, calibration: { records: 3000 } })
    expect(after.manifest.notes.at(-1)).toBe('calibrated anew on 3000 records after version 4')
  })

  it('measures drift against the recent records', async () => {
    const { manifest } = readArtifact(
      await recalibrated(artifact, [recent], { version: 1, thinning: 3, signal }),
    )
    expect(manifest.drift.fields.map(({ field }) => field).sort()).toEqual(['cabin', 'distance', 'minutes'])
    expect(manifest.drift).not.toEqual(readArtifact(artifact).manifest.drift)
    expect(manifest.drift.stride).toBe(3)
  })

  it('refuses too few records, and stops', async () => {
    const few = recalibrated(artifact, [flights(3, 5, 10)], { version: 1, thinning: 1, signal })
    await expect(few).rejects.toMatchObject({ code: 'DATA_INSUFFICIENT' })
    const stopped = recalibrated(artifact, [recent], { version: 1, thinning: 1, signal: AbortSignal.abort() })
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' })
  })
})
