import { SurprisalError } from '../../core/errors.ts'
import { type AlertOptions, alertRate } from '../../detect/calibration/alert-rate.ts'
import { readArtifact, writeArtifact } from '../../detect/model-file/artifact.ts'
import { readModelFile, writeModelFile } from './model-file.ts'

export interface RecalibrateOptions extends AlertOptions {
  readonly model: string
  /** Default: the model file itself. */
  readonly out?: string
}
export interface Recalibrated {
  readonly model: string
  readonly nominal_rate: number
  readonly before: number
}

/** Writes a model file with another nominal rate; p-values do not change, only which of them are flagged. */
export async function recalibrate({
  model,
  out = model,
  ...alerts
}: RecalibrateOptions): Promise<Recalibrated> {
  if (alerts.rate === undefined && alerts.budget === undefined)
    throw new SurprisalError('USAGE', 'give the new --rate, or a --budget')
  const read = readArtifact(await readModelFile(model))
  const { rate: before, records_per_day: recordsPerDay } = read.manifest.alerts
  const rate = alertRate(alerts, recordsPerDay)
  const manifest = {
    ...read.manifest,
    alerts: { rate, budget: alerts.budget ?? null, records_per_day: recordsPerDay },
  }
  await writeModelFile(out, writeArtifact({ ...read, manifest }))
  return { model: out, nominal_rate: rate, before }
}
