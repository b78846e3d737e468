import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ISocketFactoryArgs } from 'kafkajs'

const KEEP_ALIVE_MS = 60_000
/** What whoever tries to go on after the end is told. */
export const ENDED = 'the client has ended'

/**
 * The connections of one client. kafkajs loses sight of some: of the first of two that it opens at once to one broker,
 * of those to a broker that it takes for gone, of those that a retry opens after its end. Who ends the client ends them
 * here: each would keep the process alive, and its broker's memory taken.
 */
export class Connections implements Disposable {
  private readonly sockets = new Set<Socket>()
  private ended = false

  /** Connections that are open or being opened. */
  get count(): number {
    return this.sockets.size
  }

  readonly open = ({ host, port, ssl, onConnect }: ISocketFactoryArgs): Socket => {
    if (this.ended) throw new Error(ENDED)
    const socket = ssl
      ? connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }), ...ssl }, onConnect)
      : connect({ host, port }, onConnect)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    // Requests are written whole: waiting for more to send along only makes the last part of one late.
    socket.setNoDelay(true)
    this.sockets.add(socket)
    socket.once('close', () => this.sockets.delete(socket))
    return socket
  };

  /** Ends what the client has left open; it opens nothing any more. */
  [Symbol.dispose](): void {
    this.ended = true
    // One that the client takes for connected is ended by an error, so that it does not go on watching it.
    for (const socket of this.sockets) socket.destroy(socket.writableEnded ? undefined : new Error(ENDED))
  }
}
