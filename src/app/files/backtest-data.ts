import { loadPipeline } from '../../../config/load.ts'
import { SurprisalError } from '../../core/errors.ts'
import type { RecordBatch } from '../../core/record.ts'
import type { Logger } from '../../core/telemetry.ts'
import { Detector } from '../../detect/detector.ts'
import { blamingRule } from '../../detect/rules/suppression.ts'
import { type BacktestModel, type BacktestReport, backtest } from '../../retrain/backtest.ts'
import { windowStart } from '../jobs/retrain-plan.ts'
import { readModel } from '../models/model-list.ts'
import { connectSource } from '../stream/connect-stream.ts'
import { alertRules } from './alert-rules.ts'
import { batchesOf, type DataOptions, openData } from './data.ts'

export interface BacktestDataOptions extends DataOptions {
  /** A model file, or a model of the registry: name@version, name@champion, name@challenger, name. */
  readonly model: string
  readonly against?: string
  readonly registry: string
  /** Instead of the models' own. */
  readonly rate?: number
  readonly seed: number
  readonly limit: number
  /** A pipeline.yaml whose rules hold; of data that is a pipeline.yaml, its own do. */
  readonly pipeline?: string
  readonly signal: AbortSignal
  readonly logger: Logger
}

/** Backtests models on files, or on the training window of a pipeline.yaml: its topics' past. */
export async function backtestData(options: BacktestDataOptions): Promise<BacktestReport> {
  const { model, against, registry, seed, limit, signal } = options
  const pipeline = options.pipeline ?? pipelineOf(options)
  const rules = pipeline === undefined ? undefined : alertRules(pipeline)
  const rate = options.rate ?? rules?.rate
  const suppress = rules?.suppress ?? []
  const load = async (name: string): Promise<BacktestModel & { readonly scorer: Detector }> => {
    const { artifact, version } = await readModel(registry, name)
    const scorer = await Detector.load(artifact, {
      modelVersion: version,
      suppress,
      explainPerSecond: Number.POSITIVE_INFINITY,
      ...(rate !== undefined && { rate }),
    })
    return { name, scorer, habits: scorer.manifest.habits }
  }
  const settings = {
    seed,
    limit,
    signal,
    explain: blamingRule(suppress) !== undefined,
    ...(rules && { watch: rules.watch }),
  }
  const first = await load(model)
  await using _first = first.scorer
  if (against === undefined) return await backtest(records({ ...rules, ...options }), [first], settings)
  const second = await load(against)
  await using _second = second.scorer
  return await backtest(records({ ...rules, ...options }), [first, second], settings)
}

function pipelineOf({ data }: DataOptions): string | undefined {
  return data.find((path) => /\.ya?ml$/i.test(path))
}

async function* records(options: BacktestDataOptions): AsyncGenerator<RecordBatch> {
  const { data, signal } = options
  const pipeline = pipelineOf(options)
  if (pipeline === undefined) {
    await using source = await openData(options, {}, signal)
    yield* batchesOf(source, signal, () => {})
    return
  }
  if (data.length > 1)
    throw new SurprisalError('USAGE', `${pipeline} is a pipeline file: give it alone, or files of records`)
  const config = loadPipeline(pipeline)
  const connected = await connectSource(config, options.logger)
  await using _live = connected.source
  yield* connected.window(windowStart(config), signal)
}
