import { describe, expect, it } from 'vitest'
import { random } from '../../../src/core/random.ts'
import { clusters } from '../../../src/detect/mixture/clusters.ts'

describe('clusters', () => {
  it('parts what lies apart', () => {
    const rng = random(1)
    const data = Float32Array.from({ length: 300 }, (_, i) => 10 * (i % 3) + rng.normal())
    const owner = clusters({ rows: 300, columns: 1, data }, 3, random(2))
    expect(new Set(owner.slice(0, 3)).size).toBe(3)
    for (let i = 3; i < 300; i++) expect(owner[i]).toBe(owner[i % 3])
  })

  it('leaves clusters empty where rows are all alike', () => {
    const owner = clusters({ rows: 5, columns: 2, data: new Float32Array(10) }, 3, random(2))
    expect(new Set(owner).size).toBe(1)
  })
})
