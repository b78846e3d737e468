import { inject } from 'vitest'

export type ServiceName = 'kafka' | 'redis' | 'postgres' | 'chromium'

declare module 'vitest' {
  export interface ProvidedContext {
    servicesUrl: string
  }
}

/**
 * The address of a server that all integration tests of this run share; the first call starts it.
 * kafka: `host:port`; redis: `redis://…`; postgres: `postgres://…` (a superuser, so make a database of your own);
 * chromium: the path of its executable. Use names of your own (topics, key prefixes, databases) in it.
 */
export async function shared(service: ServiceName): Promise<string> {
  const response = await fetch(`${inject('servicesUrl')}/${service}`)
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return text
}
