import type { PipelineConfig } from '../../config/pipeline.ts'
import { ERROR_CODES, type ErrorCode, messageOf, SurprisalError } from '../core/errors.ts'
import type { RetrainJob, RetrainQueue, RetrainRequest } from '../core/ports.ts'

/** What people do with jobs, wherever these wait. */
export type Jobs = Pick<RetrainQueue, 'enqueue' | 'job' | 'jobs' | 'cancel' | 'retry'> & AsyncDisposable

const TIMEOUT_MS = 15_000

/** The jobs that wait inside a running process, through its HTTP API. */
export class HttpJobs implements Jobs {
  constructor(
    private readonly url: string,
    private readonly token?: string,
  ) {}

  enqueue({ pipeline, reason, priority }: RetrainRequest): Promise<RetrainJob> {
    return this.ask('POST', 'jobs', { pipeline, reason, ...(priority !== undefined && { priority }) })
  }

  async job(id: string): Promise<RetrainJob | undefined> {
    try {
      return await this.ask('GET', `jobs/${encodeURIComponent(id)}`)
    } catch (error) {
      if (error instanceof SurprisalError && error.code === 'JOB_NOT_FOUND') return undefined
      throw error
    }
  }

  async jobs(filter: Parameters<RetrainQueue['jobs']>[0]): Promise<readonly RetrainJob[]> {
    const query = new URLSearchParams()
    if (filter.pipeline !== undefined) query.set('pipeline', filter.pipeline)
    if (filter.limit !== undefined) query.set('limit', String(filter.limit))
    for (const state of filter.states ?? []) query.append('state', state)
    return (await this.ask<{ readonly items: readonly RetrainJob[] }>('GET', `jobs?${query}`)).items
  }

  async cancel(id: string): Promise<void> {
    await this.ask('POST', `jobs/${encodeURIComponent(id)}/cancel`)
  }

  retry(id: string): Promise<RetrainJob> {
    return this.ask('POST', `jobs/${encodeURIComponent(id)}/retry`)
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  private async ask<Answer>(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
    let response: Response
    try {
      response = await fetch(`${this.url}/api/v1/${path}`, {
        method,
        headers: {
          ...(this.token !== undefined && { authorization: `Bearer ${this.token}` }),
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
    } catch (cause) {
      throw new SurprisalError(
        'SERVICE_UNREACHABLE',
        `nothing answers at ${this.url}: jobs of queue.type memory wait inside surprisal run; start it with api.listen at this address, or use queue: { type: bullmq, url: redis://… } (${reasonOf(cause)})`,
        { cause },
      )
    }
    const text = await response.text()
    if (response.ok) return JSON.parse(text) as Answer
    throw refusalOf(this.url, response.status, text)
  }
}

/** Where the API of a running pipeline is reached from its own machine. CONFIG_INVALID where the file does not say. */
export function apiUrl({ api }: PipelineConfig): string {
  const listen = api?.listen
  const port = listen?.slice(listen.lastIndexOf(':') + 1)
  if (listen === undefined || Number(port) === 0) {
    throw new SurprisalError(
      'CONFIG_INVALID',
      `${api === undefined ? 'there is no api section' : 'api.listen takes any free port'}, so the jobs inside surprisal run cannot be reached: set api: { listen: 127.0.0.1:8080 }, or use queue: { type: bullmq, url: redis://… }`,
    )
  }
  const host = listen.slice(0, listen.lastIndexOf(':'))
  const near = host === '0.0.0.0' ? '127.0.0.1' : host === '[::]' ? '[::1]' : host
  return `http://${near}:${port}`
}

function refusalOf(url: string, status: number, text: string): SurprisalError {
  let problem: { readonly code?: string; readonly detail?: string } = {}
  try {
    problem = JSON.parse(text)
  } catch {
    problem = { detail: `HTTP status ${status}, and no problem document: is this Surprisal's API?` }
  }
  const known = Object.hasOwn(ERROR_CODES, problem.code ?? '')
  return new SurprisalError(
    known ? (problem.code as ErrorCode) : 'SERVICE_REFUSED',
    known ? (problem.detail ?? '') : `${url} refused: ${problem.detail ?? `HTTP status ${status}`}`,
  )
}

function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error ? cause.cause : undefined
  return messageOf(inner ?? cause) || String((inner as NodeJS.ErrnoException | undefined)?.code)
}
