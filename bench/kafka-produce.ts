import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Message } from 'kafkajs'
import { crc32c } from '../connectors/kafka/wire/crc32c.ts'
import { int16, int32, text } from '../connectors/kafka/wire/primitives.ts'
import { recordBatch } from '../connectors/kafka/wire/record-batch.ts'
import { Parts, wholeRequest } from '../connectors/kafka/wire/whole-request.ts'

const PLAIN = { producerId: -1n, producerEpoch: 0, firstSequence: 0, transactional: false, codec: 0 }
const CRC_AT = 17
const AFTER_CRC = 21
const FIRST_TIME_AT = 27
const LAST_TIME_AT = 35
const TIMEOUT_MS = 30_000

/** A record batch that is encoded once and sent at many times. */
export class Template {
  private readonly bytes: Buffer
  private readonly lastMs: number

  private constructor(bytes: Buffer, lastMs: number) {
    this.bytes = bytes
    this.lastMs = lastMs
  }

  /** Record i is due `i · everyMs` after the first. */
  static async of(messages: readonly Message[], everyMs: number): Promise<Template> {
    const timed = messages.map((message, i) => ({ ...message, timestamp: String(Math.round(i * everyMs)) }))
    return new Template(await recordBatch(timed, PLAIN), Math.round((messages.length - 1) * everyMs))
  }

  /** The batch whose first record is due at a time, epoch milliseconds. */
  at(time: number): Buffer {
    const batch = Buffer.from(this.bytes)
    const first = Math.round(time)
    batch.writeBigInt64BE(BigInt(first), FIRST_TIME_AT)
    batch.writeBigInt64BE(BigInt(first + this.lastMs), LAST_TIME_AT)
    batch.writeUInt32BE(crc32c(batch, AFTER_CRC), CRC_AT)
    return batch
  }
}

/**
 * Produce requests (version 3, acks 1) of ready batches to the one broker that leads all partitions of a topic, without
 * waiting for answers: the load of a bench must cost next to nothing itself.
 */
export class RawProducer implements AsyncDisposable {
  private readonly socket: Socket
  private readonly topic: string
  private sent = 0
  private taken = 0
  private failure: Error | undefined
  private rest: Buffer = Buffer.alloc(0)
  private wake = () => {}

  private constructor(socket: Socket, topic: string) {
    this.socket = socket
    this.topic = topic
    socket.setNoDelay(true)
    socket.on('data', (bytes) => this.read(bytes))
    socket.on('error', (error) => this.fail(error))
    socket.on('close', () => this.fail(new Error('the broker closed the connection')))
  }

  static async connect(broker: string, topic: string): Promise<RawProducer> {
    const at = broker.lastIndexOf(':')
    const socket = connect(Number(broker.slice(at + 1)), broker.slice(0, at))
    await once(socket, 'connect')
    return new RawProducer(socket, topic)
  }

  /** Sends batch i to partition i. */
  send(batches: readonly Buffer[]): void {
    if (this.failure !== undefined) throw this.failure
    const parts = [int16(-1), int16(1), int32(TIMEOUT_MS), int32(1), text(this.topic), int32(batches.length)]
    batches.forEach((batch, partition) => {
      parts.push(int32(partition), int32(batch.length), batch)
    })
    const request = { apiKey: 0, apiVersion: 3, encode: async () => new Parts(parts) }
    this.sent++
    wholeRequest({ correlationId: this.sent, clientId: 'bench-load', request }).then(
      ({ buffer }) => this.socket.write(buffer),
      (error) => this.fail(error),
    )
  }

  /** Resolves once every request is answered; throws what the broker refused. */
  async answered(): Promise<void> {
    while (this.taken < this.sent && this.failure === undefined)
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    if (this.failure !== undefined) throw this.failure
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.removeAllListeners('close')
    this.socket.destroy()
  }

  private fail(error: Error): void {
    this.failure ??= error
    this.wake()
  }

  private read(bytes: Buffer): void {
    this.rest = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes])
    while (this.rest.length >= 4) {
      const end = 4 + this.rest.readInt32BE(0)
      if (this.rest.length < end) return
      this.judge(this.rest.subarray(8, end))
      this.rest = this.rest.subarray(end)
      this.taken++
    }
    this.wake()
  }

  /** One topic; of each partition its number, an error code, an offset and a time. */
  private judge(answer: Buffer): void {
    let at = 4 + 2 + answer.readInt16BE(4)
    const partitions = answer.readInt32BE(at)
    at += 4
    for (let p = 0; p < partitions; p++, at += 22) {
      const code = answer.readInt16BE(at + 4)
      if (code !== 0) this.fail(new Error(`the broker refused a batch with error ${code}`))
    }
  }
}
