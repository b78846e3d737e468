import type { PipelineConfig } from './pipeline.ts'

/** What is valid and still probably not meant. */
export function adviceOn(config: PipelineConfig): string[] {
  const advice: string[] = []
  const { store, queue, registry, api, retrain, sinks } = config
  if (store?.type === 'duckdb' && queue.type === 'bullmq')
    advice.push('store: one process owns a DuckDB file; with several scorers use type: postgres')
  if (queue.type === 'bullmq' && registry.type === 'fs')
    advice.push(`registry: every scorer and trainer must see the folder ${registry.path}; or use type: redis`)
  if (api !== undefined && !isLoopback(api.listen) && api.tokens_file === undefined)
    advice.push(
      `api: listen ${api.listen} is reachable from outside: give tokens_file, or SURPRISAL_API_TOKENS where it runs`,
    )
  if (sinks.length === 0 && store === undefined)
    advice.push('sinks: scores go nowhere; add a sink, or a store')
  if (retrain.schedule === undefined && retrain.max_age === undefined && retrain.drift !== 'retrain')
    advice.push('retrain: nothing ever retrains the model; give a schedule, a max_age, or drift: retrain')
  const each = retrainedByEach(config)
  return each === undefined ? advice : [...advice, each]
}

/** Told where processes are made to share everything but the queue: each would hold jobs of its own. */
export function retrainedByEach({
  source,
  store,
  queue,
  registry,
  retrain,
}: PipelineConfig): string | undefined {
  const shared = source.type === 'kafka' && (registry.type === 'redis' || store?.type === 'postgres')
  const retrains =
    retrain.schedule !== undefined ||
    retrain.max_age !== undefined ||
    retrain.drift === 'retrain' ||
    retrain.drift === 'recalibrate'
  if (queue.type !== 'memory' || !shared || !retrains) return undefined
  return 'queue: type memory is one per process, so several processes of this pipeline would each retrain it; use type: bullmq where there is more than one'
}

function isLoopback(listen: string): boolean {
  const host = listen.slice(0, listen.lastIndexOf(':'))
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.')
}
