import { describe, expect, it } from 'vitest'
import { random } from '../../../src/core/random.ts'
import { batchOfRows } from '../../../src/core/record.ts'
import { type FitCheckpoint, NumberedCheckpoints } from '../../../src/detect/fit/fit-checkpoints.ts'
import { fitDetector } from '../../../src/detect/fit/fit-detector.ts'
import { readArtifact } from '../../../src/detect/model-file/artifact.ts'

const byte = (value: number) => Uint8Array.of(value)

describe('NumberedCheckpoints', () => {
  it('numbers the flows of all rounds and gives each what was saved under its number', () => {
    const saved: FitCheckpoint[] = []
    const numbered = new NumberedCheckpoints({
      resume: [{ member: 3, bytes: byte(7) }],
      save: (checkpoint) => saved.push(checkpoint),
    })
    const [first, second] = [numbered.round(2), numbered.round(2)]
    first.save(1, byte(1))
    second.save(0, byte(2))
    expect(saved).toEqual([
      { member: 1, bytes: byte(1) },
      { member: 2, bytes: byte(2) },
    ])
    expect([first.resume(1), second.resume(0), second.resume(1)]).toEqual([undefined, undefined, byte(7)])
  })

  it('saves once a second at most, and the last one when the round ends', () => {
    let now = 0
    const saved: number[] = []
    const round = new NumberedCheckpoints(
      { resume: [], save: ({ bytes }) => saved.push(bytes[0]) },
      () => now,
    ).round(1)
    for (now = 0; now <= 2500; now += 250) round.save(0, byte(now / 250))
    expect(saved).toEqual([0, 4, 8])
    round.flush()
    round.flush()
    expect(saved).toEqual([0, 4, 8, 10])
  })
})

describe('fitDetector with checkpoints', () => {
  const r = random(5)
  const rows = batchOfRows(
    Array.from({ length: 1000 }, () => {
      const x = r.normal()
      return { x, y: x + 0.1 * r.normal() }
    }),
  )
  const options = { effort: 0.05, contamination: 0.1, backend: 'kernel' } as const
  const weightsOf = (artifact: Uint8Array) => readArtifact(artifact).weights

  it('makes the model that an uninterrupted fit makes, over the first and the trimmed fit', async () => {
    const stop = new AbortController()
    const saved = new Map<number, Uint8Array>()
    const interrupted = fitDetector([rows], {
      ...options,
      signal: stop.signal,
      checkpoints: {
        resume: [],
        save({ member, bytes }) {
          saved.set(member, bytes)
          if (saved.size === 6) stop.abort()
        },
      },
    })
    await expect(interrupted).rejects.toMatchObject({ code: 'ABORTED' })
    const resume = [...saved].map(([member, bytes]) => ({ member, bytes }))
    const again = new Set<number>()
    const resumed = await fitDetector([rows], {
      ...options,
      checkpoints: { resume, save: ({ member }) => again.add(member) },
    })
    expect(again.size).toBeLessThan(8)
    const whole = await fitDetector([rows], options)
    expect(weightsOf(resumed.artifact)).toEqual(weightsOf(whole.artifact))
    expect(readArtifact(resumed.artifact).surprisals).toEqual(readArtifact(whole.artifact).surprisals)
  })

  it('refuses checkpoints of another fit', async () => {
    const resume: FitCheckpoint[] = []
    const save = (checkpoint: FitCheckpoint) => resume.push(checkpoint)
    await fitDetector([rows], { ...options, contamination: 0, checkpoints: { resume: [], save } })
    await expect(
      fitDetector([rows], { ...options, seed: 1, contamination: 0, checkpoints: { resume, save } }),
    ).rejects.toMatchObject({ code: 'MODEL_INVALID' })
  })
})
