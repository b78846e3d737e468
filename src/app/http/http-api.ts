import type { PipelineConfig } from '../../../config/pipeline.ts'
import { operatorToken } from '../../api/tokens.ts'
import { ERROR_CODES, type ErrorCode, messageOf, SurprisalError } from '../../core/errors.ts'

const TIMEOUT_MS = 15_000

/** The HTTP API of a running pipeline. Problems come back as the SurprisalError that the server had. */
export class HttpApi {
  constructor(
    private readonly url: string,
    private readonly token: string | undefined,
    /** Why it is asked, and the way out where it does not answer. */
    private readonly why: string,
  ) {}

  async ask<Answer>(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
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
        `nothing answers at ${this.url}: ${this.why} (${reasonOf(cause)})`,
        { cause },
      )
    }
    const text = await response.text()
    if (response.ok) return JSON.parse(text) as Answer
    throw refusalOf(this.url, response.status, text)
  }
}

/** The API of a pipeline that runs on this machine, with the operator's token where it wants one. */
export function httpApi(config: PipelineConfig, why: string): HttpApi {
  const file = config.api?.tokens_file
  const token = operatorToken(file === undefined ? {} : { tokens_file: file })
  return new HttpApi(apiUrl(config, why), token, why)
}

/** Where the API of a running pipeline is reached from its own machine. CONFIG_INVALID where the file does not say. */
function apiUrl({ api }: PipelineConfig, why: string): string {
  const listen = api?.listen
  const port = listen?.slice(listen.lastIndexOf(':') + 1)
  if (listen === undefined || Number(port) === 0) {
    throw new SurprisalError(
      'CONFIG_INVALID',
      `${api === undefined ? 'there is no api section' : 'api.listen takes any free port'}, so surprisal run cannot be reached: set api: { listen: 127.0.0.1:8080 }; ${why}`,
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
