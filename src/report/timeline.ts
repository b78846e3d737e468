export interface TimeBucket {
  /** Start, in the timeline's unit. */
  readonly time: number
  readonly width: number
  readonly records: number
  readonly anomalies: number
  readonly scoreSum: number
  readonly scoreMax: number
}

interface Mutable {
  records: number
  anomalies: number
  scoreSum: number
  scoreMax: number
}

/** Scores over time in at most `limit` buckets, whatever the span: the width doubles as the span grows. */
export class Timeline {
  readonly #limit: number
  #width = 1
  #buckets = new Map<number, Mutable>()
  #low = Number.POSITIVE_INFINITY
  #high = Number.NEGATIVE_INFINITY

  constructor(limit = 240) {
    this.#limit = limit
  }

  add(time: number, score: number, anomaly: boolean): void {
    if (!Number.isFinite(time)) return
    this.#low = Math.min(this.#low, time)
    this.#high = Math.max(this.#high, time)
    while (Math.floor(this.#high / this.#width) - Math.floor(this.#low / this.#width) >= this.#limit)
      this.#widen()
    const bucket = this.#bucket(Math.floor(time / this.#width))
    bucket.records++
    bucket.anomalies += anomaly ? 1 : 0
    bucket.scoreSum += score
    bucket.scoreMax = Math.max(bucket.scoreMax, score)
  }

  /** Buckets that hold records, in order. */
  buckets(): TimeBucket[] {
    return [...this.#buckets]
      .sort(([a], [b]) => a - b)
      .map(([index, bucket]) => ({ time: index * this.#width, width: this.#width, ...bucket }))
  }

  #bucket(index: number): Mutable {
    let bucket = this.#buckets.get(index)
    if (bucket === undefined) {
      bucket = { records: 0, anomalies: 0, scoreSum: 0, scoreMax: 0 }
      this.#buckets.set(index, bucket)
    }
    return bucket
  }

  #widen(): void {
    const narrow = this.#buckets
    this.#width *= 2
    this.#buckets = new Map()
    for (const [index, { records, anomalies, scoreSum, scoreMax }] of narrow) {
      const bucket = this.#bucket(Math.floor(index / 2))
      bucket.records += records
      bucket.anomalies += anomalies
      bucket.scoreSum += scoreSum
      bucket.scoreMax = Math.max(bucket.scoreMax, scoreMax)
    }
  }
}
