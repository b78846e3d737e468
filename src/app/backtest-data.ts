import { loadPipeline } from '../../config/load.ts'
import { SurprisalError } from '../core/errors.ts'
import type { RecordBatch } from '../core/record.ts'
import { SILENT } from '../core/telemetry.ts'
import { Detector } from '../detect/detector.ts'
import { type BacktestModel, type BacktestReport, backtest } from '../retrain/backtest.ts'
import { connectSource } from './connect-stream.ts'
import { batchesOf, type DataOptions, openData } from './data.ts'
import { readModel } from './model-list.ts'
import { windowStart } from './retrain-plan.ts'

export interface BacktestDataOptions extends DataOptions {
  /** A model file, or a model of the registry: name@version, name@champion, name@challenger, name. */
  readonly model: string
  readonly against?: string
  readonly registry: string
  /** Instead of the models' own. */
  readonly rate?: number
  readonly seed: number
  readonly limit: number
  readonly signal: AbortSignal
}

/** Backtests models on files, or on the training window of a pipeline.yaml: its topics' past. */
export async function backtestData(options: BacktestDataOptions): Promise<BacktestReport> {
  const { model, against, registry, rate, seed, limit, signal } = options
  const load = async (name: string): Promise<BacktestModel & { readonly scorer: Detector }> => {
    const { artifact, version } = await readModel(registry, name)
    const settings = { modelVersion: version, ...(rate !== undefined && { rate }) }
    return { name, scorer: await Detector.load(artifact, settings) }
  }
  const first = await load(model)
  await using _first = first.scorer
  if (against === undefined) return await backtest(records(options), [first], { seed, limit, signal })
  const second = await load(against)
  await using _second = second.scorer
  return await backtest(records(options), [first, second], { seed, limit, signal })
}

async function* records(options: BacktestDataOptions): AsyncGenerator<RecordBatch> {
  const { data, signal } = options
  const pipeline = data.find((path) => /\.ya?ml$/i.test(path))
  if (pipeline === undefined) {
    await using source = await openData(options, {}, signal)
    yield* batchesOf(source, signal, () => {})
    return
  }
  if (data.length > 1)
    throw new SurprisalError('USAGE', `${pipeline} is a pipeline file: give it alone, or files of records`)
  const config = loadPipeline(pipeline)
  const connected = await connectSource(config, SILENT)
  await using _live = connected.source
  yield* connected.window(windowStart(config), signal)
}
