import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { type ErrorCode, isSurprisalError, SurprisalError } from '../core/errors.ts'

/** RFC 9457 problem details; `code` is a code of docs/errors.md or the name of the HTTP status. */
export interface Problem {
  readonly type: 'about:blank'
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  /** Finds the log lines of this request. */
  readonly request_id: string
}

/** An answer that is a problem by itself: no error of Surprisal's table. */
export class HttpProblem extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  USAGE: 400,
  QUERY_INVALID: 400,
  CONFIG_INVALID: 422,
  FILE_FORMAT: 422,
  RECORD_INVALID: 422,
  SCHEMA_MISMATCH: 422,
  DATA_INSUFFICIENT: 422,
  MODEL_NOT_FOUND: 404,
  JOB_NOT_FOUND: 404,
  MODEL_EXISTS: 409,
  FENCE_STALE: 409,
  JOB_CANCELLED: 409,
  LEASE_HELD: 409,
  ABORTED: 503,
  SERVICE_UNREACHABLE: 503,
  STORE_FAILED: 503,
  STORE_LOCKED: 503,
  DISK_FULL: 503,
}

export function problemOf(error: unknown, requestId: string): Problem {
  const { status, code, detail } = describe(error)
  return {
    type: 'about:blank',
    title: TITLES[status] ?? 'Error',
    status,
    detail,
    code,
    request_id: requestId,
  }
}

function describe(error: unknown): { status: number; code: string; detail: string } {
  if (isSurprisalError(error)) {
    const status = STATUS[error.code] ?? 500
    return { status, code: error.code, detail: status === 500 ? HIDDEN : error.message }
  }
  const { statusCode, message } = error as Partial<FastifyError>
  const status = error instanceof HttpProblem ? error.status : (statusCode ?? 500)
  if (status >= 400 && status < 500 && typeof message === 'string')
    return { status, code: codeOf(status), detail: message }
  if (error instanceof HttpProblem) return { status, code: codeOf(status), detail: error.message }
  return { status: 500, code: 'INTERNAL', detail: HIDDEN }
}

/** What went wrong inside stays in the log. */
const HIDDEN = 'the server failed; its log says why under this request_id'

function codeOf(status: number): string {
  return (TITLES[status] ?? 'Error').toUpperCase().replaceAll(' ', '_')
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const problem = problemOf(error, request.id)
  if (problem.status >= 500 && problem.status !== 501) request.log.error({ err: error }, problem.detail)
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="surprisal"')
  if (problem.status === 503) reply.header('retry-after', '5')
  return reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem))
}

export function noModel(pipeline: string): SurprisalError {
  return new SurprisalError(
    'MODEL_NOT_FOUND',
    `pipeline "${pipeline}" has no model yet: start a retrain and wait for it`,
  )
}
