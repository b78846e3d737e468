import type { ICustomPartitioner, Message, PartitionMetadata } from 'kafkajs'

export interface Grouping {
  readonly topic: string
  readonly partitionMetadata: PartitionMetadata[]
  readonly messages: readonly Message[]
  readonly partitioner: ReturnType<ICustomPartitioner>
}

/** The messages that go to each partition, in order. */
export function groupByPartition(grouping: Grouping): Record<number, Message[]> {
  const { topic, partitionMetadata, messages, partitioner } = grouping
  const groups: Record<number, Message[]> = {}
  if (partitionMetadata.length === 0) return groups
  for (const message of messages) {
    const partition = partitioner({ topic, partitionMetadata, message })
    groups[partition] ??= []
    groups[partition].push(message)
  }
  return groups
}
