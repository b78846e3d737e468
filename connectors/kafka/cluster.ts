import type { Kafka, KafkaMessage } from 'kafkajs'
import { SurprisalError } from '../../src/core/errors.ts'
import type { FetchedMessage } from './wire/fetched-record.ts'

/** The part of kafkajs below its consumers, which reads partitions without a group. */
export interface Cluster {
  connect(): Promise<void>
  disconnect(): Promise<void>
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>
  refreshMetadata(): Promise<void>
  /** Partitions by the node that leads them. */
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Record<string, number[]>
  findBroker(node: { readonly nodeId: string }): Promise<Broker>
  fetchTopicsOffset(
    topics: readonly {
      readonly topic: string
      readonly fromBeginning: boolean
      readonly partitions: readonly { readonly partition: number }[]
    }[],
  ): Promise<{ readonly partitions: readonly { readonly offset: string }[] }[]>
}
interface Broker {
  fetch(request: {
    readonly isolationLevel: 0 | 1
    readonly maxWaitTime: number
    readonly minBytes: number
    readonly maxBytes: number
    readonly topics: readonly {
      readonly topic: string
      readonly partitions: readonly {
        readonly partition: number
        readonly fetchOffset: string
        readonly maxBytes: number
      }[]
    }[]
  }): Promise<{ readonly responses: readonly { readonly partitions: readonly Fetched[] }[] }>
}
interface Fetched {
  readonly partition: number
  readonly messages: readonly FetchedMessage[]
}

/** What of a fetch is a record: neither before the offset asked for, nor aborted, nor a mark of a transaction. */
export interface FetchedBatch {
  readonly rawMessages: readonly unknown[]
  readonly messages: readonly KafkaMessage[]
  lastOffset(): string
}
export type FetchedBatchClass = new (topic: string, offset: string, fetched: Fetched) => FetchedBatch

const METHODS = [
  'connect',
  'disconnect',
  'addMultipleTargetTopics',
  'refreshMetadata',
  'findLeaderForPartitions',
  'findBroker',
  'fetchTopicsOffset',
] as const satisfies readonly (keyof Cluster)[]

/**
 * A connection of its own to the client's cluster. kafkajs makes one for each of its consumers, by a method without a
 * name, and has no public way to fetch without a group (docs/decisions/0800). INTERNAL where a release has changed that.
 */
export function clusterOf(client: Kafka): Cluster {
  const create = Object.getOwnPropertySymbols(client).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  )
  const makers = client as unknown as Record<symbol, unknown>
  const make = create && makers[create]
  if (typeof make !== 'function') throw changed('Kafka has no createCluster')
  const cluster: Cluster = make.call(client, { metadataMaxAge: 300_000, allowAutoTopicCreation: false })
  const missing = METHODS.filter((method) => typeof cluster[method] !== 'function')
  if (missing.length > 0) throw changed(`its cluster has no ${missing.join(', ')}`)
  return cluster
}

function changed(what: string): SurprisalError {
  const advice = 'install kafkajs 2.2.4, with which topics can be read without a consumer group'
  return new SurprisalError(
    'INTERNAL',
    `this release of kafkajs is not one that is known: ${what}; ${advice}`,
  )
}
