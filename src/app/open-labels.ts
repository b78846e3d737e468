import { userInfo } from 'node:os'
import type { PipelineConfig } from '../../config/pipeline.ts'
import { SurprisalError } from '../core/errors.ts'
import type { LabelledRecord, LabelStore } from '../core/ports.ts'
import { connectStore } from './connect.ts'
import { type HttpApi, httpApi } from './http/http-api.ts'

export type Said = Pick<LabelledRecord, 'id' | 'label' | 'note'>
/** What people say of a pipeline's records, wherever it is kept. */
export interface PipelineLabels extends AsyncDisposable {
  say(said: Said): Promise<LabelledRecord>
  labels(): Promise<readonly LabelledRecord[]>
}

const KEPT_THERE =
  'labels are kept with the scores, and the process that runs the pipeline owns them; start surprisal run with api.listen, or use store: { type: postgres, url: postgres://… }'

/** Labels in PostgreSQL directly, those of another store through the API, or from the store where there is no API. */
export async function openLabels(config: PipelineConfig): Promise<PipelineLabels> {
  const { store } = config
  if (store?.type !== 'postgres' && config.api !== undefined)
    return new HttpLabels(config.name, httpApi(config, KEPT_THERE))
  if (store === undefined || store.type === 'memory') {
    throw new SurprisalError(
      'CONFIG_INVALID',
      `${config.name} keeps no scores that this process can reach: ${KEPT_THERE}`,
    )
  }
  const opened = await connectStore(store)
  try {
    await opened.open()
    return new StoredLabels(config.name, opened)
  } catch (error) {
    await opened[Symbol.asyncDispose]()
    throw error
  }
}

class StoredLabels implements PipelineLabels {
  constructor(
    private readonly pipeline: string,
    private readonly store: LabelStore & AsyncDisposable,
  ) {}

  async say(said: Said): Promise<LabelledRecord> {
    const who = userInfo().username
    const label = { pipeline: this.pipeline, ...said, who, at: new Date().toISOString() }
    await this.store.put(label)
    return label
  }

  labels(): Promise<readonly LabelledRecord[]> {
    return this.store.labels(this.pipeline)
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.store[Symbol.asyncDispose]()
  }
}

class HttpLabels implements PipelineLabels {
  private readonly path: string

  constructor(
    pipeline: string,
    private readonly api: HttpApi,
  ) {
    this.path = `pipelines/${encodeURIComponent(pipeline)}/feedback`
  }

  say(said: Said): Promise<LabelledRecord> {
    return this.api.ask('POST', this.path, said)
  }

  async labels(): Promise<readonly LabelledRecord[]> {
    return (await this.api.ask<{ readonly items: readonly LabelledRecord[] }>('GET', this.path)).items
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
