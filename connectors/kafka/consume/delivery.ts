import type { Transaction } from 'kafkajs'
import type { Delivery, RecordEnvelope, RejectedRecord } from '../../../src/core/ports.ts'
import type { RecordBatch } from '../../../src/core/record.ts'
import type { DecodedSlice } from '../values/record-decoder.ts'
import type { Slice } from './partition-queue.ts'

export interface Settlement {
  acknowledge(): Promise<void>
  reject(cause: unknown): Promise<void>
  /** Exactly once: writes and acknowledges in one transaction. */
  readonly transact?: (write: (transaction: Transaction) => Promise<void>) => Promise<void>
}

/** A slice of one partition, decoded. */
export class KafkaDelivery implements Delivery {
  readonly batch: RecordBatch
  readonly rejected: readonly RejectedRecord[]
  readonly revoked: AbortSignal
  readonly envelope: (row: number) => RecordEnvelope
  readonly atomically?: (write: () => Promise<void>) => Promise<void>
  /** The transaction that this delivery is being written in. */
  transaction: Transaction | undefined
  private readonly settlement: Settlement
  private settled = false

  constructor(slice: Slice, decoded: DecodedSlice, settlement: Settlement) {
    this.batch = decoded.batch
    this.rejected = decoded.rejected
    this.envelope = decoded.envelope
    this.revoked = slice.revoked
    this.settlement = settlement
    const { transact } = settlement
    if (transact !== undefined) this.atomically = (write) => this.within(transact, write)
  }

  async ack(): Promise<void> {
    if (this.settled) return
    this.settled = true
    await this.settlement.acknowledge()
  }

  async nack(cause: unknown): Promise<void> {
    if (this.settled) return
    this.settled = true
    await this.settlement.reject(cause)
  }

  private async within(
    transact: NonNullable<Settlement['transact']>,
    write: () => Promise<void>,
  ): Promise<void> {
    if (this.settled) return
    try {
      await transact(async (transaction) => {
        this.transaction = transaction
        await write()
      })
      this.settled = true
    } finally {
      this.transaction = undefined
    }
  }
}
