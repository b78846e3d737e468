import { createServer } from 'node:http'
import type { RegisteredSchema } from '../../../connectors/kafka/values/schema-registry.ts'

/** The answers of a schema registry's REST API to the requests that a reader makes. */
export async function startRegistry() {
  const schemas = new Map<number, RegisteredSchema>()
  const latest = new Map<string, RegisteredSchema>()
  const state = { down: false, requests: 0, authorization: undefined as string | undefined }
  const server = createServer((request, response) => {
    state.requests++
    state.authorization = request.headers.authorization
    if (state.down) return void response.writeHead(503).end()
    const [, kind, name] = request.url?.split('/') ?? []
    const found =
      kind === 'schemas'
        ? schemas.get(Number(request.url?.split('/').at(-1)))
        : latest.get(decodeURIComponent(name))
    if (found === undefined) return void response.writeHead(404).end('{"error_code":40403}')
    response.end(JSON.stringify(found))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return Object.assign(state, {
    url: `http://127.0.0.1:${port}`,
    schemas,
    latest,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  })
}

/** Confluent's wire format. */
export function wire(id: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeInt32BE(id, 1)
  return Buffer.concat([head, payload])
}
