import { signal } from './signal.ts'

/** A problem that the API answered, or that it did not answer at all (status 0). */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
  ) {
    super(detail)
  }

  /** Asked again, it may be answered: the server is away, busy, or failed. */
  get mayPass(): boolean {
    return this.status === 0 || this.status === 429 || (this.status >= 500 && this.status !== 501)
  }
}

const KEY = 'surprisal-token'

/** True while the server asks for a token that the page does not have. */
export const tokenWanted = signal(false)

export function setToken(token: string): void {
  sessionStorage.setItem(KEY, token)
  tokenWanted.set(false)
}

export function authorization(): Record<string, string> {
  const token = sessionStorage.getItem(KEY)
  return token === null ? {} : { authorization: `Bearer ${token}` }
}

/** Asks the API; throws an ApiProblem whose detail can be shown. */
export async function ask<Answer>(
  path: string,
  options: { method?: 'GET' | 'POST' | 'PUT' | 'DELETE'; body?: unknown; signal?: AbortSignal } = {},
): Promise<Answer> {
  const { method = 'GET', body, signal: stop } = options
  let response: Response
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers: { ...authorization(), ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(stop && { signal: stop }),
    })
  } catch (error) {
    if (stop?.aborted) throw error
    throw new ApiProblem(0, 'The server does not answer. It may be restarting; this page keeps trying.')
  }
  if (response.status === 401) tokenWanted.set(true)
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}))
    throw new ApiProblem(response.status, problem.detail ?? `The server answered ${response.status}.`)
  }
  return response.json()
}

/** A path of the API with a query; absent values are left out. */
export function withQuery(
  path: string,
  query: Readonly<Record<string, string | number | undefined>>,
): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query))
    if (value !== undefined && value !== '') search.set(key, String(value))
  const text = search.toString()
  return text === '' ? path : `${path}?${text}`
}
