import { type FetchedMessage, FetchedRecord } from './fetched-record.ts'

interface PartitionData {
  readonly messages: readonly FetchedMessage[]
  readonly abortedTransactions?: readonly unknown[] | null
}
/** What kafkajs makes of the messages of one partition of a fetch. */
interface Batch {
  rawMessages: readonly FetchedMessage[]
  messagesWithinOffset: readonly FetchedMessage[]
  messages: readonly FetchedMessage[]
}
export type BatchClass = new (topic: string, fetchedOffset: string, data: PartitionData) => Batch

/**
 * The same class, which compares the offsets of records that were read here as numbers, not as a big integer each; a
 * fetch with aborted transactions, or in an older message format, is left to `Before`.
 */
export function fetchedBatch(Before: BatchClass): BatchClass {
  return class extends Before {
    constructor(topic: string, fetchedOffset: string, data: PartitionData) {
      const { messages, abortedTransactions } = data
      const ours = messages[0] instanceof FetchedRecord && !abortedTransactions?.length
      super(topic, fetchedOffset, ours ? { ...data, messages: [] } : data)
      if (!ours) return
      const records = messages as readonly FetchedRecord[]
      const from = Number(fetchedOffset)
      const within = records[0].place < from ? records.filter(({ place }) => place >= from) : records
      this.rawMessages = records
      this.messagesWithinOffset = within
      this.messages = within.some((record) => record.isControlRecord)
        ? within.filter((record) => !record.isControlRecord)
        : within
    }
  }
}
