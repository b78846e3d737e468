import type { ScoreBin, SeriesPoint } from '../ports.ts'
import { ANOMALY, type ScoredBatch, UNSCORED } from '../scored.ts'
import { ScoreHistogram, upperEdge } from './histogram.ts'
import { timeOf } from './intake.ts'

/** What a bucket of time holds: two roll-ups of one bucket merge by adding, whatever order they come in. */
export interface Rollup {
  /** Start of the bucket, epoch milliseconds. */
  readonly start: number
  records: number
  anomalies: number
  unscored: number
  scoreMax: number | null
  readonly histogram: ScoreHistogram
}

/** Whole buckets: from and to are multiples of step, all in milliseconds. */
export interface SeriesRange {
  readonly from: number
  readonly to: number
  readonly step: number
}

export const MINUTE = 60_000
export const HOUR = 3_600_000
/** The bucket widths that stores roll up into. */
export const ROLLUP_WIDTHS = [MINUTE, HOUR] as const

/** What a roll-up takes in of a record; the score is null where it is unscored. */
export interface Observation {
  /** Epoch milliseconds. */
  readonly time: number
  readonly score: number | null
  readonly anomaly: boolean
}

export function* observationsOf(scored: ScoredBatch, rows: Iterable<number>): Generator<Observation> {
  for (const row of rows) {
    const score = scored.verdict[row] === UNSCORED ? null : scored.score[row]
    yield { time: timeOf(scored, row), score, anomaly: scored.verdict[row] === ANOMALY }
  }
}

/** Rolls records up into buckets of `width` milliseconds, ascending. */
export function rollUp(observations: Iterable<Observation>, width: number): Rollup[] {
  const buckets = new Map<number, Rollup>()
  for (const { time, score, anomaly } of observations) {
    const bucket = bucketAt(buckets, Math.floor(time / width) * width)
    bucket.records++
    if (anomaly) bucket.anomalies++
    if (score === null) bucket.unscored++
    else {
      bucket.scoreMax = Math.max(bucket.scoreMax ?? score, score)
      bucket.histogram.add(score)
    }
  }
  return [...buckets.values()].sort((a, b) => a.start - b.start)
}

/** Merges roll-ups into the points of a series; buckets without records come out empty, none is left out. */
export function seriesOf(rollups: Iterable<Rollup>, { from, to, step }: SeriesRange): SeriesPoint[] {
  const buckets = new Map<number, Rollup>()
  for (const rollup of rollups) {
    const bucket = bucketAt(buckets, Math.floor(rollup.start / step) * step)
    bucket.records += rollup.records
    bucket.anomalies += rollup.anomalies
    bucket.unscored += rollup.unscored
    bucket.histogram.merge(rollup.histogram)
    if (rollup.scoreMax !== null)
      bucket.scoreMax = Math.max(bucket.scoreMax ?? rollup.scoreMax, rollup.scoreMax)
  }
  const points = Array.from(buckets.values(), (bucket) => ({
    time: bucket.start,
    records: bucket.records,
    anomalies: bucket.anomalies,
    unscored: bucket.unscored,
    score_p50: bucket.histogram.quantile(0.5),
    score_p99: bucket.histogram.quantile(0.99),
    score_max: bucket.scoreMax,
  }))
  return everyBucket(points, { from, to, step })
}

/** The points of a series in order, with an empty one for every bucket of the range that has none. */
export function everyBucket(points: readonly SeriesPoint[], { from, to, step }: SeriesRange): SeriesPoint[] {
  const found = new Map(points.map((point) => [point.time, point]))
  const nothing = { records: 0, anomalies: 0, unscored: 0, score_p50: null, score_p99: null, score_max: null }
  const all: SeriesPoint[] = []
  for (let time = from; time < to; time += step) all.push(found.get(time) ?? { time, ...nothing })
  return all
}

/** Adds roll-ups up to one histogram, ascending by score. */
export function distributionOf(rollups: Iterable<Rollup>): ScoreBin[] {
  const sum = new ScoreHistogram()
  for (const { histogram } of rollups) sum.merge(histogram)
  return sum.bins().map(([bin, count]) => ({ up_to: upperEdge(bin), count }))
}

function bucketAt(buckets: Map<number, Rollup>, start: number): Rollup {
  let bucket = buckets.get(start)
  if (bucket === undefined) {
    bucket = { start, records: 0, anomalies: 0, unscored: 0, scoreMax: null, histogram: new ScoreHistogram() }
    buckets.set(start, bucket)
  }
  return bucket
}
