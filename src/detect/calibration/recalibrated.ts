import { setImmediate as turn } from 'node:timers/promises'
import type { RecordBatch } from '../../core/record.ts'
import { sliceBatch } from '../../core/slice-batch.ts'
import { StreamWindows } from '../../features/windows/stream-windows.ts'
import { loadKernel } from '../../kernel/kernel.ts'
import { driftReference, pValueDesignEffect } from '../drift/drift-reference.ts'
import { type Model, readArtifact, writeArtifact } from '../model-file/artifact.ts'
import { ModelSurprisal } from '../model-surprisal.ts'
import { Calibration } from './calibration.ts'

/** Rows that are scored at a time. */
const CHUNK = 4096

/**
 * The model with p-values from recent records: its flows and encoder stay, the calibration and what drift is measured
 * against come from the batches, which are in order of time. Throws DATA_INSUFFICIENT for too few records; aborts
 * between batches.
 */
export async function recalibrated(
  artifact: Uint8Array,
  batches: readonly RecordBatch[],
  { version, thinning, signal }: { version: number; thinning: number; signal: AbortSignal },
): Promise<Uint8Array> {
  const model = readArtifact(artifact)
  const { manifest } = model
  const surprisals = await surprisalsOf(model, batches, signal)
  const calibration = Calibration.fit(surprisals)
  const { records, tail } = { records: calibration.n, tail: calibration.state.tail }
  const { block } = manifest.drift
  return writeArtifact({
    ...model,
    surprisals: calibration.state.surprisals,
    manifest: {
      ...manifest,
      created_at: new Date().toISOString(),
      calibration: { ...manifest.calibration, method: 'split', records, floor: calibration.floor, tail },
      drift: {
        ...driftReference(
          batches,
          manifest.drift.fields.map(({ field }) => field),
          { stride: Math.max(1, Math.round(thinning)), block },
        ),
        pValueDesignEffect: pValueDesignEffect(surprisals, block),
      },
      notes: [...manifest.notes, `calibrated anew on ${records} records after version ${version}`],
    },
  })
}

/** Of the records that can be encoded. */
async function surprisalsOf(
  model: Model,
  batches: readonly RecordBatch[],
  signal: AbortSignal,
): Promise<Float64Array> {
  const { windows } = model.manifest
  using surprisal = new ModelSurprisal(model, loadKernel())
  const past = windows && new StreamWindows(windows)
  const found: number[] = []
  for (const whole of batches) {
    const seen = past?.append(whole) ?? whole
    for (let from = 0; from < seen.rows; from += CHUNK) {
      signal.throwIfAborted()
      const batch = sliceBatch(seen, from, Math.min(seen.rows, from + CHUNK))
      const encoded = surprisal.encoder.encode(batch)
      const { surprisals } = surprisal.of(encoded, batch.entity)
      for (let row = 0; row < batch.rows; row++)
        if (!encoded.unscored.has(row) && !Number.isNaN(surprisals[row])) found.push(surprisals[row])
      // The job's lock is kept by a timer.
      await turn()
    }
  }
  return Float64Array.from(found)
}
