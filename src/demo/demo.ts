import type { RetrainProgress } from '../core/ports.ts'
import { random } from '../core/random.ts'
import type { RecordBatch } from '../core/record.ts'
import type { ScoredRecord } from '../core/scored.ts'
import { scoredRecord } from '../core/scored-record.ts'
import { Detector } from '../detect/detector.ts'
import { fitDetector } from '../detect/fit/fit-detector.ts'
import { alongStream } from '../detect/score-stream.ts'
import { FlightFaultPlanter } from './flight-faults.ts'
import { splitStream } from './flight-streams.ts'
import { Routes } from './routes.ts'
import { type DemoSummary, Tally } from './tally.ts'

export interface DemoOptions {
  /** Flights in time order. */
  readonly flights: AsyncIterator<RecordBatch>
  /** The first so many teach, the rest is live. */
  readonly trainingRecords: number
  /** Of the training records, a sample of so many is learned from. */
  readonly maxRows: number
  readonly liveRecords: number
  readonly rate: number
  /** Share of the live records that get a fault. */
  readonly faultShare: number
  readonly seed: number
  readonly signal: AbortSignal
  onFit(progress: RetrainProgress): void
  onFlagged(record: ScoredRecord, fault: string | undefined): void
  onScored(records: number): void
}
export interface DemoOutcome {
  readonly summary: DemoSummary
  readonly artifact: Uint8Array
  /** Every route of the training data. */
  readonly routes: ReadonlySet<string>
}

/** Learns from the first months, plants faults into the later ones, scores them, and counts what was found. */
export async function runDemo(options: DemoOptions): Promise<DemoOutcome> {
  const { rate, seed, signal } = options
  const routes = new Routes()
  const { training, live } = splitStream(options.flights, options.trainingRecords)
  const { artifact } = await fitDetector(routes.note(training), {
    rate,
    seed,
    signal,
    maxRows: options.maxRows,
    gate: false,
    source: 'flights',
    onProgress: options.onFit,
  })
  await using detector = await Detector.load(artifact)
  const planter = new FlightFaultPlanter(options.faultShare, routes.known, random(seed + 1))
  const tally = new Tally()
  const score = alongStream(detector)
  let scoredRecords = 0
  let seconds = 0
  for await (const batch of live) {
    signal.throwIfAborted()
    const planted = planter.plant(batch)
    const started = performance.now()
    const scored = await score(planted.batch, { pipeline: 'flights', explain: true })
    seconds += (performance.now() - started) / 1000
    tally.add(scored, planted)
    for (const row of scored.attributions.keys()) {
      const record = scoredRecord(scored, row)
      options.onFlagged(record, planted.faults.get(record.id)?.fault)
    }
    scoredRecords += batch.rows
    options.onScored(scoredRecords)
    if (scoredRecords >= options.liveRecords) break
  }
  return { summary: tally.summary(rate, seconds), artifact, routes: routes.known }
}
