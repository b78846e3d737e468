import { isSurprisalError } from '../../core/errors.ts'
import type { RetrainJob, RetrainQueue, RetrainRequest } from '../../core/ports.ts'
import type { HttpApi } from '../http/http-api.ts'

/** What people do with jobs, wherever these wait. */
export type Jobs = Pick<RetrainQueue, 'enqueue' | 'job' | 'jobs' | 'cancel' | 'retry'> & AsyncDisposable

/** The jobs that wait inside a running process, through its HTTP API. */
export class HttpJobs implements Jobs {
  constructor(private readonly api: HttpApi) {}

  enqueue({ pipeline, reason, priority }: RetrainRequest): Promise<RetrainJob> {
    return this.api.ask('POST', 'jobs', { pipeline, reason, ...(priority !== undefined && { priority }) })
  }

  async job(id: string): Promise<RetrainJob | undefined> {
    try {
      return await this.api.ask('GET', `jobs/${encodeURIComponent(id)}`)
    } catch (error) {
      if (isSurprisalError(error, 'JOB_NOT_FOUND')) return undefined
      throw error
    }
  }

  async jobs(filter: Parameters<RetrainQueue['jobs']>[0]): Promise<readonly RetrainJob[]> {
    const query = new URLSearchParams()
    if (filter.pipeline !== undefined) query.set('pipeline', filter.pipeline)
    if (filter.limit !== undefined) query.set('limit', String(filter.limit))
    for (const state of filter.states ?? []) query.append('state', state)
    return (await this.api.ask<{ readonly items: readonly RetrainJob[] }>('GET', `jobs?${query}`)).items
  }

  async cancel(id: string): Promise<void> {
    await this.api.ask('POST', `jobs/${encodeURIComponent(id)}/cancel`)
  }

  retry(id: string): Promise<RetrainJob> {
    return this.api.ask('POST', `jobs/${encodeURIComponent(id)}/retry`)
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
