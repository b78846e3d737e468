/**
 * Surprisal as a library: learn what is normal, score records by how improbable they are, say which field is to blame.
 * docs/examples shows each of these at work.
 */
/// <reference types="node" preserve="true" />
import { readFile } from 'node:fs/promises'
import { openFiles } from '../connectors/files/open.ts'
import { SurprisalError } from './core/errors.ts'
import type { RecordBatch } from './core/record.ts'
import { Detector, type DetectorOptions } from './detect/detector.ts'
import { type FitDetectorOptions, fitDetector } from './detect/fit/fit-detector.ts'
import { type Records, recordBatches } from './detect/record-batches.ts'

export { contentIdOf } from './core/content-id.ts'
export { type ErrorCode, isSurprisalError, SurprisalError } from './core/errors.ts'
export type { Delivery, Label, Precision, ScoreOptions, Scorer, Sink, Source } from './core/ports.ts'
export { precisionOf } from './core/precision.ts'
export { batchOfRows, type Column, type RecordBatch } from './core/record.ts'
export type { FieldSurprise, ScoredBatch, ScoredRecord, Severity, Verdict } from './core/scored.ts'
export { scoredRecord, scoredRecords } from './core/scored-record.ts'
export type { Counterfactual } from './detect/attribution/counterfactual.ts'
export { type FaultOptions, plantFaults } from './detect/canaries.ts'
export { Detector, type DetectorOptions } from './detect/detector.ts'
export { type Evaluation, evaluate } from './detect/evaluate.ts'
export type { Manifest } from './detect/model-file/manifest.ts'
export type { PlainRecord, Records } from './detect/record-batches.ts'
export type { RecordLabel } from './detect/rules/feedback.ts'
export type { FieldCondition, SuppressionRule } from './detect/rules/suppression.ts'
export { type ScoreStreamOptions, scoreBatches, scoreStream } from './detect/score-stream.ts'

/** How to learn, and how the detector that comes of it scores. */
export type FitOptions = FitDetectorOptions & Omit<DetectorOptions, 'rate'>

/**
 * Learns a detector from records (objects or batches, in memory or as a stream) or from files (a path, a glob pattern:
 * Arrow, Parquet, CSV, NDJSON).
 * @throws SurprisalError DATA_INSUFFICIENT for too few records, FILE_* for unreadable files, ABORTED
 */
export async function fit(data: Records | string, options: FitOptions = {}): Promise<Detector> {
  const { artifact } = await fitDetector(typeof data === 'string' ? fileBatches(data) : recordBatches(data), {
    ...(typeof data === 'string' && { source: data }),
    ...options,
  })
  const { rate: _, ...detectorOptions } = options
  return Detector.load(artifact, detectorOptions)
}

/** Loads a model file that `surprisal fit` or `detector.artifact` wrote; MODEL_INVALID where it is not one. */
export async function load(path: string, options: DetectorOptions = {}): Promise<Detector> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (cause) {
    throw new SurprisalError('FILE_NOT_FOUND', `the model file ${path} cannot be read`, { cause })
  }
  return Detector.load(bytes, options)
}

async function* fileBatches(path: string): AsyncGenerator<RecordBatch, void, undefined> {
  const stop = new AbortController()
  await using source = await openFiles([path], {}, stop.signal)
  for await (const delivery of source.deliveries(stop.signal)) {
    yield delivery.batch
    await delivery.ack()
  }
}
