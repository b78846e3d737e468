import { SurprisalError } from '../../core/errors.ts'
import { idOf, type RecordBatch } from '../../core/record.ts'
import { ANOMALY, NORMAL, type ScoredBatch, type ScoredRecord, UNSCORED } from '../../core/scored.ts'
import { scoredRecord } from '../../core/scored-record.ts'
import type { Counterfactual } from '../../detect/attribution/counterfactual.ts'
import { Detector } from '../../detect/detector.ts'
import { selectRows } from '../../features/select-rows.ts'
import { batchesOf, type DataOptions, openData } from './data.ts'
import { readModelFile } from './model-file.ts'
import { learnedColumns, likeTrained, requireNumbers } from './score-files.ts'

export interface ExplainFilesOptions extends DataOptions {
  readonly model: string
  /** The most surprising records, this many. */
  readonly top: number
  /** One record by its id instead. */
  readonly id?: string
  readonly signal: AbortSignal
}

interface Candidate {
  readonly score: number
  readonly batch: RecordBatch
}

/** A record with what would make it normal. */
export interface ExplainedRecord extends ScoredRecord {
  /** Empty for records that are not flagged, and where no change of one field is enough. */
  readonly normal_if: readonly Counterfactual[]
}

/** At this rate every record is flagged whose p-value allows an explanation at all. */
const EXPLAIN_RATE = 0.5

/** The most surprising records of files, or one of them, each with its fields. USAGE where the id is not there. */
export async function explainFiles(options: ExplainFilesOptions): Promise<readonly ExplainedRecord[]> {
  const { model, top, id, signal } = options
  await using detector = await Detector.load(await readModelFile(model), {
    explainPerSecond: Number.POSITIVE_INFINITY,
  })
  await using source = await openData(
    likeTrained(options, detector.manifest),
    { columns: learnedColumns(detector.manifest) },
    signal,
  )
  requireNumbers(source.schema, detector.manifest)
  const best: Candidate[] = []
  const lookBack = detector.lookBack?.()
  for await (const read of batchesOf(source, signal, () => {})) {
    const batch = lookBack?.append(read) ?? read
    if (id === undefined)
      keepBest(best, await detector.score(batch, { pipeline: model, explain: false }), top)
    else {
      const row = rowWithId(batch, id)
      if (row !== undefined) best.push({ score: 0, batch: selectRows(batch, Int32Array.of(row)) })
      if (row !== undefined) break
    }
  }
  if (best.length === 0 && id !== undefined)
    throw new SurprisalError('USAGE', `no record has the id "${id}"; ids are path-row, from row 0`)
  await using explainer = detector.withRate(EXPLAIN_RATE)
  const records: ExplainedRecord[] = []
  for (const { batch } of best) {
    const explained = await explainer.score(batch, { pipeline: model, explain: true })
    const record = scoredRecord(atRate(explained, detector.rate), 0)
    const [found] = record.is_anomaly ? await detector.nearestNormal(batch) : [[]]
    records.push({ ...record, normal_if: found })
  }
  return records
}

function keepBest(best: Candidate[], { batch, score, verdict }: ScoredBatch, top: number): void {
  for (let row = 0; row < batch.rows; row++) {
    if (verdict[row] === UNSCORED) continue
    if (best.length === top && score[row] <= best[top - 1].score) continue
    best.push({ score: score[row], batch: selectRows(batch, Int32Array.of(row)) })
    best.sort((a, b) => b.score - a.score)
    best.length = Math.min(best.length, top)
  }
}

function rowWithId(batch: RecordBatch, id: string): number | undefined {
  for (let row = 0; row < batch.rows; row++) if (idOf(batch.origin, row) === id) return row
  return undefined
}

/** The verdicts that the model's own rate gives. */
function atRate(scored: ScoredBatch, rate: number): ScoredBatch {
  const verdict = scored.verdict.map((v, row) =>
    v === UNSCORED ? UNSCORED : scored.pValue[row] <= rate ? ANOMALY : NORMAL,
  )
  return { ...scored, threshold: rate, verdict }
}
