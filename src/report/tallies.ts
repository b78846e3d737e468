import { rowOf } from '../core/record.ts'
import type { ScoredBatch, ScoredRecord } from '../core/scored.ts'
import { scoredRecord } from '../core/scored-record.ts'

export interface Counted {
  readonly name: string
  readonly count: number
}

const MAX_NAMES = 1000
const SHOWN = 20

/** Counts by name; of more than a thousand names the first ones. */
export class Counts {
  readonly #counts = new Map<string, number>()

  add(name: string): void {
    if (this.#counts.size < MAX_NAMES || this.#counts.has(name))
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
  }

  get sum(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
  }

  /** The most frequent ones, those first. */
  get most(): Counted[] {
    return [...this.#counts]
      .map(([name, count]) => ({ name, count }))
      .sort((a, b) => b.count - a.count)
      .slice(0, SHOWN)
  }
}

export interface ReportedRecord {
  readonly record: ScoredRecord
  readonly fields: Readonly<Record<string, unknown>>
}

const TOP = 50

/** The most surprising records, those first. */
export class Leaders {
  readonly #redact: readonly string[]
  #records: readonly ReportedRecord[] = []

  /** Values of the fields named are not kept. */
  constructor(redact: readonly string[]) {
    this.#redact = redact
  }

  get records(): readonly ReportedRecord[] {
    return this.#records
  }

  add(scored: ScoredBatch, row: number): void {
    const last = this.#records[TOP - 1]
    if (last !== undefined && !(scored.score[row] > (last.record.score ?? 0))) return
    const fields = rowOf(scored.batch, row)
    for (const name of this.#redact) if (name in fields) fields[name] = '(redacted)'
    this.#records = [...this.#records, { record: scoredRecord(scored, row), fields }]
      .sort((a, b) => (b.record.score ?? 0) - (a.record.score ?? 0))
      .slice(0, TOP)
  }
}
