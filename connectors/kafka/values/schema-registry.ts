import { messageOf, SurprisalError } from '../../../src/core/errors.ts'
import type { SchemaRegistryOptions } from '../options.ts'

export interface RegisteredSchema {
  /** Absent for Avro. */
  readonly schemaType?: 'AVRO' | 'JSON' | 'PROTOBUF'
  readonly schema: string
  readonly references?: readonly {
    readonly name: string
    readonly subject: string
    readonly version: number
  }[]
}

/** How long an unknown schema is not asked for again: poison must not become a flood of requests. */
const UNKNOWN_FOR_MS = 10_000

/** A client of Confluent’s Schema Registry API. Schemas never change under their id, so each is asked for once. */
export class SchemaRegistry {
  private readonly options: SchemaRegistryOptions
  private readonly known = new Map<string, Promise<RegisteredSchema>>()

  constructor(options: SchemaRegistryOptions) {
    this.options = options
  }

  byId(id: number): Promise<RegisteredSchema> {
    return this.cached(`/schemas/ids/${id}`, `schema id ${id}`)
  }

  byVersion(subject: string, version: number): Promise<RegisteredSchema> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`
    return this.cached(path, `version ${version} of subject ${subject}`)
  }

  /** The newest schema of a subject now; undefined where there is no such subject. */
  async latest(subject: string): Promise<RegisteredSchema | undefined> {
    const response = await this.request(`/subjects/${encodeURIComponent(subject)}/versions/latest`)
    return response.status === 404 ? undefined : ((await response.json()) as RegisteredSchema)
  }

  private cached(path: string, what: string): Promise<RegisteredSchema> {
    const before = this.known.get(path)
    if (before !== undefined) return before
    const asked = this.request(path).then(async (response) => {
      if (response.status === 404)
        throw new SurprisalError('RECORD_INVALID', `the schema registry knows no ${what}`)
      return (await response.json()) as RegisteredSchema
    })
    this.known.set(path, asked)
    asked.catch((error: SurprisalError) => {
      const forget = () => this.known.delete(path)
      if (error.retryable) forget()
      else setTimeout(forget, UNKNOWN_FOR_MS).unref()
    })
    return asked
  }

  private async request(path: string): Promise<Response> {
    const { url, username, password, timeout_ms: timeout } = this.options
    const credentials = username && `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`
    let response: Response
    try {
      response = await fetch(url.replace(/\/$/, '') + path, {
        headers: {
          accept: 'application/vnd.schemaregistry.v1+json',
          ...(credentials && { authorization: credentials }),
        },
        signal: AbortSignal.timeout(timeout),
      })
    } catch (cause) {
      throw new SurprisalError('SERVICE_UNREACHABLE', `schema registry ${url}: ${messageOf(cause)}`, {
        cause,
      })
    }
    if (response.ok || response.status === 404) return response
    const refused = response.status === 401 || response.status === 403
    // Credentials are repaired from outside while the pipeline waits: no record is to blame for them.
    throw new SurprisalError(
      refused ? 'SERVICE_REFUSED' : 'SERVICE_UNREACHABLE',
      `schema registry ${url} answered ${response.status}${refused ? ': check its username and password' : ''}`,
      { retryable: true },
    )
  }
}

const HEADER = 5

/** Confluent’s wire format: a zero byte, the schema’s id in four bytes (big-endian), the payload. */
export function readWireFormat(value: Buffer): { readonly id: number; readonly payload: Buffer } {
  if (value.length < HEADER || value[0] !== 0)
    throw new Error(
      'the value is not in Confluent’s wire format: it does not begin with a zero byte and a schema id',
    )
  return { id: value.readInt32BE(1), payload: value.subarray(HEADER) }
}
