import { type FetchedMessage, FetchedRecord } from './fetched-record.ts'

interface AbortedTransaction {
  readonly producerId: string
  readonly firstOffset: string
}
interface PartitionData {
  readonly messages: readonly FetchedMessage[]
  readonly abortedTransactions?: readonly AbortedTransaction[] | null
}
/** What kafkajs makes of the messages of one partition of a fetch. */
interface Batch {
  rawMessages: readonly FetchedMessage[]
  messagesWithinOffset: readonly FetchedMessage[]
  messages: readonly FetchedMessage[]
}
export type BatchClass = new (topic: string, fetchedOffset: string, data: PartitionData) => Batch

/**
 * The same class, which compares the offsets of records that were read here as numbers, not as a big integer each; older
 * message formats are left to `Before`. kafkajs takes aborted transactions in the order in which they ended, so that of
 * two which overlap it shows records of the one that began first.
 */
export function fetchedBatch(Before: BatchClass): BatchClass {
  return class extends Before {
    constructor(topic: string, fetchedOffset: string, data: PartitionData) {
      const { messages, abortedTransactions } = data
      const ours = messages[0] instanceof FetchedRecord
      super(topic, fetchedOffset, ours ? { ...data, messages: [], abortedTransactions: [] } : data)
      if (!ours) return
      const records = messages as readonly FetchedRecord[]
      const from = Number(fetchedOffset)
      const within = records[0].place < from ? records.filter(({ place }) => place >= from) : records
      this.rawMessages = records
      this.messagesWithinOffset = within
      this.messages = committed(within, abortedTransactions ?? [])
    }
  }
}

/** Neither marks of transactions nor records of those that were aborted (KIP-98): from their first offset to their mark. */
function committed(
  records: readonly FetchedRecord[],
  abortedTransactions: readonly AbortedTransaction[],
): readonly FetchedRecord[] {
  if (abortedTransactions.length === 0)
    return records.some((record) => record.isControlRecord)
      ? records.filter((record) => !record.isControlRecord)
      : records
  const first = ({ firstOffset }: AbortedTransaction) => Number(firstOffset)
  const coming = [...abortedTransactions].sort((a, b) => first(a) - first(b))
  const open = new Set<string>()
  return records.filter(({ place, batchContext }) => {
    const { producerId, inTransaction, isControlBatch } = batchContext
    while (coming.length > 0 && first(coming[0]) <= place) open.add(coming.shift()!.producerId)
    if (isControlBatch) open.delete(producerId)
    return !isControlBatch && !(inTransaction && open.has(producerId))
  })
}
