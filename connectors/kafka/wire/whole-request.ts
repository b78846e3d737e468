/** A request as kafkajs hands it to a connection. */
interface Request {
  readonly correlationId: number
  readonly clientId: string
  readonly request: {
    readonly apiKey: number
    readonly apiVersion: number
    encode(): Promise<{ readonly buffer: Buffer } | Parts>
  }
}
/** The body of a request that is not put together yet, and is where the client asks for it. */
export class Parts {
  readonly list: readonly Buffer[]

  constructor(list: readonly Buffer[]) {
    this.list = list
  }
  get buffer(): Buffer {
    return Buffer.concat(this.list)
  }
  get buf(): Buffer {
    return this.buffer
  }
}
export type RequestEncoder = (request: Request) => Promise<{ readonly buffer: Buffer }>

/** Size, header (version 1) and body in one copy; the client copies what it sends twice. */
export const wholeRequest: RequestEncoder = async ({ correlationId, clientId, request }) => {
  const body = await request.encode()
  const parts = body instanceof Parts ? body.list : [body.buffer]
  const name = Buffer.from(clientId)
  const header = Buffer.allocUnsafe(14)
  header.writeInt32BE(10 + name.length + parts.reduce((sum, { length }) => sum + length, 0), 0)
  header.writeInt16BE(request.apiKey, 4)
  header.writeInt16BE(request.apiVersion, 6)
  header.writeInt32BE(correlationId, 8)
  header.writeInt16BE(name.length, 12)
  return { buffer: Buffer.concat([header, name, ...parts]) }
}
