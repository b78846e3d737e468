import { expect, it } from 'vitest'
import { random } from '../../src/core/random.ts'
import { batchOfRows } from '../../src/core/record.ts'
import { ANOMALY, UNSCORED } from '../../src/core/scored.ts'
import { Detector } from '../../src/detect/detector.ts'
import { fitDetector } from '../../src/detect/fit/fit-detector.ts'

/** Each entity has a level of its own, by which alone a value is usual or not. */
function readings(entities: number, each: number, seed: number) {
  const draw = random(seed)
  return Array.from({ length: entities * each }, (_, i) => {
    const e = i % entities
    return { host: `host-${e}`, load: (e % 10) * 10 + draw.normal(), other: draw.normal() }
  })
}

it('serves thousands of entities by one model that is conditioned on them', async () => {
  const { artifact, manifest } = await fitDetector([batchOfRows(readings(2000, 8, 1))], {
    overrides: { host: { context: true } },
    effort: 0.05,
    rate: 0.01,
  })
  expect(manifest.fields.find(({ field }) => field === 'host')).toMatchObject({
    role: 'context',
    kind: 'category',
  })
  await using detector = await Detector.load(artifact, { workers: 0, explainPerSecond: Infinity })
  const normal = await detector.score(batchOfRows(readings(2000, 1, 2)), { explain: false })
  const share = normal.verdict.filter((v) => v === ANOMALY).length / 2000
  expect(share).toBeLessThan(0.03)
  const strange = readings(2000, 1, 3).map((r) => ({ ...r, load: r.load < 50 ? r.load + 50 : r.load - 50 }))
  // Usual for the others.
  const found = await detector.score(batchOfRows(strange.slice(0, 50)))
  expect(found.verdict.filter((v) => v === ANOMALY).length).toBeGreaterThan(45)
  expect([...found.attributions.values()].every(([first]) => first.field === 'load')).toBe(true)
  const unseen = await detector.score(batchOfRows([{ host: 'a new one', load: 45, other: 0 }]))
  expect(unseen.verdict[0]).not.toBe(UNSCORED)
})
