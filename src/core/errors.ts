/**
 * Every error that Surprisal raises on purpose: one class, one table of codes.
 * `retryable` says whether the same call may succeed later without anybody changing anything.
 * docs/errors.md lists the same codes; a test keeps the two equal.
 */
export const ERROR_CODES = {
  USAGE: { retryable: false, summary: 'The command line or the call is wrong.' },
  CONFIG_INVALID: { retryable: false, summary: 'The pipeline file breaks its schema.' },
  FILE_NOT_FOUND: { retryable: false, summary: 'A named file does not exist.' },
  FILE_UNREADABLE: {
    retryable: false,
    summary: 'A file exists and cannot be opened or written (permissions, a directory).',
  },
  FILE_FORMAT: {
    retryable: false,
    summary: 'A file is not what its name says: truncated, corrupt or another format.',
  },
  FILE_EMPTY: { retryable: false, summary: 'A file holds no records.' },
  DISK_FULL: { retryable: true, summary: 'The disk is full (ENOSPC).' },
  SCHEMA_MISMATCH: { retryable: false, summary: 'Columns are missing, doubled, renamed or of another type.' },
  RECORD_INVALID: { retryable: false, summary: 'One record cannot be decoded or encoded.' },
  DATA_INSUFFICIENT: { retryable: false, summary: 'Too few usable records or columns to learn a density.' },
  FLOW_SPEC_INVALID: { retryable: false, summary: 'A flow specification or its weights are inconsistent.' },
  TRAINING_DIVERGED: {
    retryable: false,
    summary: 'The loss stayed non-finite after the learning rate was cut.',
  },
  BACKEND_UNAVAILABLE: { retryable: false, summary: 'A compute backend is not installed or does not start.' },
  MODEL_INVALID: {
    retryable: false,
    summary: 'A model file is corrupt, foreign, or fails its golden vectors.',
  },
  MODEL_VERSION_UNSUPPORTED: { retryable: false, summary: 'A model file was written by a newer format.' },
  MODEL_NOT_FOUND: { retryable: false, summary: 'The registry holds no such model, version or alias.' },
  MODEL_EXISTS: { retryable: false, summary: 'The registry already holds this version.' },
  FENCE_STALE: {
    retryable: false,
    summary: 'A newer attempt owns this training job; the result of an older one is refused.',
  },
  LEASE_HELD: { retryable: true, summary: 'Another process holds the lease of this pipeline.' },
  JOB_NOT_FOUND: { retryable: false, summary: 'The queue holds no such job.' },
  JOB_FAILED: { retryable: false, summary: 'A retraining job failed for good.' },
  JOB_CANCELLED: { retryable: false, summary: 'The job was cancelled.' },
  SERVICE_UNREACHABLE: {
    retryable: true,
    summary: 'A server (Kafka, Redis, PostgreSQL, HTTP) does not answer.',
  },
  SERVICE_REFUSED: {
    retryable: false,
    summary: 'A server answered and refused (authentication, authorisation, unknown topic).',
  },
  SINK_FAILED: { retryable: true, summary: 'A sink could not take a batch.' },
  STORE_FAILED: { retryable: true, summary: 'The score store could not take or answer.' },
  STORE_LOCKED: { retryable: false, summary: 'Another process owns the DuckDB file.' },
  QUERY_INVALID: { retryable: false, summary: 'A query parameter breaks its rule.' },
  TOO_MANY_FAILURES: {
    retryable: false,
    summary: 'The share of bad records broke the circuit-breaker limit.',
  },
  ABORTED: { retryable: false, summary: 'The operation was stopped on request.' },
  INTERNAL: { retryable: false, summary: 'A broken invariant: a bug in Surprisal.' },
} as const satisfies Record<string, { readonly retryable: boolean; readonly summary: string }>

export type ErrorCode = keyof typeof ERROR_CODES

/** An error with a code of the table, a message that names the value, the rule and the way out, and its cause. */
export class SurprisalError extends Error {
  override readonly name = 'SurprisalError'
  readonly code: ErrorCode
  readonly retryable: boolean

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; retryable?: boolean }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryable = options?.retryable ?? ERROR_CODES[code].retryable
  }
}

export function isSurprisalError(error: unknown, code?: ErrorCode): error is SurprisalError {
  return error instanceof SurprisalError && (code === undefined || error.code === code)
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Throws ABORTED once the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new SurprisalError('ABORTED', 'stopped on request', { cause: signal.reason })
}
