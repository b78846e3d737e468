import { type Random, random } from '../../core/random.ts'
import type { Picks } from './column-scan.ts'

/**
 * A uniform sample of rows from a stream of batches, seeded: reservoir sampling with jumps (Li 1994, algorithm L),
 * O(size · log(rows / size)). The same rows serve every column.
 */
export class RowSample {
  readonly size: number
  #random: Random
  #seen = 0
  #next = 0
  #weight = 1

  constructor(size: number, seed: number) {
    this.size = size
    this.#random = random(seed)
  }

  /** The rows of the next batch that enter the sample, and the slots they take. */
  take(rows: number): Picks {
    const picked: number[] = []
    const slots: number[] = []
    const start = this.#seen
    const end = start + rows
    for (let at = start; at < Math.min(end, this.size); at++) {
      picked.push(at - start)
      slots.push(at)
    }
    if (start < this.size && end >= this.size) this.#jump(this.size - 1)
    while (end > this.size && this.#next < end) {
      picked.push(this.#next - start)
      slots.push(this.#random.integer(this.size))
      this.#jump(this.#next)
    }
    this.#seen = end
    return { rows: picked, slots }
  }

  #jump(from: number): void {
    this.#weight *= Math.exp(Math.log(1 - this.#random.uniform()) / this.size)
    this.#next = from + 1 + Math.floor(Math.log(1 - this.#random.uniform()) / Math.log1p(-this.#weight))
  }
}
