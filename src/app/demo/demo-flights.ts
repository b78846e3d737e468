import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { openFiles } from '../../../connectors/files/open.ts'
import type { RecordBatch } from '../../core/record.ts'
import { flightBatches, overAndOver } from '../../demo/flight-streams.ts'
import { generatedFlights } from '../../demo/generated-flights.ts'

export interface Flights {
  readonly description: string
  readonly batches: AsyncGenerator<RecordBatch>
  /** How many of them teach. */
  readonly trainingRecords: number
}

const REAL = 'vega-datasets/data/flights-3m.parquet'
/** January and February 2001. */
const REAL_TRAINING = 966_409
const GENERATED = { training: 200_000, all: 1_000_000 }

/** Three million real flights where the vega-datasets package is installed beside Surprisal, else generated ones, without end. */
export async function openFlights(signal: AbortSignal): Promise<Flights> {
  const path = realFlights()
  if (path === undefined) {
    async function* generated(): AsyncGenerator<RecordBatch> {
      for (const batch of generatedFlights(GENERATED.all)) {
        const date = batch.columns.get('date')
        yield date?.kind === 'timestamp' ? { ...batch, eventTime: date.values } : batch
      }
    }
    const batches = overAndOver(async () => generated())
    const description = `generated flights (npm install vega-datasets gives real ones)`
    return { description, batches, trainingRecords: GENERATED.training }
  }
  return {
    description: 'US flights of 2001 (vega-datasets, flights-3m.parquet)',
    batches: overAndOver(async () => flightBatches(await openFiles([path], {}, signal), signal)),
    trainingRecords: REAL_TRAINING,
  }
}

/** The package exports no path to the file, so the folders in which Node would look for it are looked through. */
function realFlights(): string | undefined {
  const folders = createRequire(import.meta.url).resolve.paths('vega-datasets') ?? []
  return folders.map((folder) => join(folder, REAL)).find((path) => existsSync(path))
}
