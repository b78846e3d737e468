import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { kafkaClient } from '../../../../connectors/kafka/client.ts'
import { kafkaOptions } from '../../../../connectors/kafka/options.ts'
import { Connections } from '../../../../connectors/kafka/wire/connections.ts'
import { SILENT } from '../../../../src/core/telemetry.ts'

let server: Server
let port: number
const accepted = new Set<Socket>()

beforeEach(async () => {
  server = createServer((socket) => {
    accepted.add(socket)
    socket
      .resume()
      .on('error', () => undefined)
      .once('close', () => accepted.delete(socket))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  port = (server.address() as AddressInfo).port
})
afterEach(() => {
  for (const socket of accepted) socket.destroy()
  server.close()
})

const open = (connections: Connections, onConnect = () => {}) => {
  const ssl = undefined as unknown as Parameters<Connections['open']>[0]['ssl']
  return connections.open({ host: '127.0.0.1', port, ssl, onConnect })
}

it('ends what was left open, and what is being opened, with an error that its user sees', async () => {
  const connections = new Connections()
  const left = await new Promise<Socket>((resolve) => {
    const socket = open(connections, () => resolve(socket))
  })
  const opening = open(connections)
  expect(connections.count).toBe(2)
  const errors = [left, opening].map((socket) => once(socket, 'error'))
  connections[Symbol.dispose]()
  for (const [error] of await Promise.all(errors)) expect(error.message).toBe('the client has ended')
  await expect.poll(() => connections.count + accepted.size).toBe(0)
  expect(() => open(connections)).toThrow('the client has ended')
})

it('forgets a connection that its user ends', async () => {
  const connections = new Connections()
  const socket = await new Promise<Socket>((resolve) => {
    const opened = open(connections, () => resolve(opened))
  })
  socket.resume().end()
  await expect.poll(() => connections.count).toBe(0)
})

it('leaves no connection of a client behind that is still trying to connect', async () => {
  const client = kafkaClient(kafkaOptions.parse({ 'bootstrap.servers': `127.0.0.1:${port}` }), SILENT)
  // The server takes connections and answers nothing.
  const connecting = client.admin().connect()
  await expect.poll(() => accepted.size).toBe(1)
  client[Symbol.dispose]()
  await expect(connecting).rejects.toThrow()
  await expect.poll(() => accepted.size).toBe(0)
})

it('keeps the connections of another client of the same settings', async () => {
  const client = kafkaClient(kafkaOptions.parse({ 'bootstrap.servers': `127.0.0.1:${port}` }), SILENT)
  using other = client.another()
  const connecting = other.admin().connect()
  connecting.catch(() => undefined)
  await expect.poll(() => accepted.size).toBe(1)
  client[Symbol.dispose]()
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(accepted.size).toBe(1)
})
