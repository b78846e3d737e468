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
  findGroupCoordinatorMetadata(of: {
    readonly groupId: string
    readonly coordinatorType: number
  }): Promise<unknown>
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
  'findGroupCoordinatorMetadata',
  'fetchTopicsOffset',
] as const satisfies readonly (keyof Cluster)[]

type Create = (options: object) => Cluster

/**
 * How kafkajs makes a cluster for each of its producers and consumers: by a method without a name. INTERNAL where a
 * release has changed that.
 */
function creation(client: Kafka): { readonly name: symbol; readonly create: Create } {
  const name = Object.getOwnPropertySymbols(client).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  )
  const makers = client as unknown as Record<symbol, unknown>
  const make = name && makers[name]
  if (name === undefined || typeof make !== 'function') throw changed('Kafka has no createCluster')
  const create: Create = (options) => {
    const cluster: Cluster = make.call(client, options)
    const missing = METHODS.filter((method) => typeof cluster[method] !== 'function')
    if (missing.length > 0) throw changed(`its cluster has no ${missing.join(', ')}`)
    return cluster
  }
  return { name, create }
}

/**
 * A connection of its own to the client's cluster: kafkajs has no public way to fetch without a group
 * (docs/decisions/0800).
 */
export function clusterOf(client: Kafka): Cluster {
  return creation(client).create({ metadataMaxAge: 300_000, allowAutoTopicCreation: false })
}

const KNOWN_MS = 1000

/**
 * The same client, whose producers ask who coordinates a group or a transactional id once a second: kafkajs asks before
 * every request to a coordinator, four times a transaction. Of one that has moved, its retries hear within that second.
 */
export function withKnownCoordinators(client: Kafka): Kafka {
  const { name, create } = creation(client)
  const value: Create = (options) => remembering(create(options))
  return Object.create(client, { [name]: { value } })
}

function remembering(cluster: Cluster): Cluster {
  const known = new Map<string, { readonly until: number; readonly found: Promise<unknown> }>()
  const find = cluster.findGroupCoordinatorMetadata.bind(cluster)
  cluster.findGroupCoordinatorMetadata = (of) => {
    const key = `${of.coordinatorType} ${of.groupId}`
    const before = known.get(key)
    if (before !== undefined && performance.now() < before.until) return before.found
    const found = find(of)
    known.set(key, { until: performance.now() + KNOWN_MS, found })
    found.catch(() => known.delete(key))
    return found
  }
  return cluster
}

function changed(what: string): SurprisalError {
  const advice = 'install kafkajs 2.2.4, with which topics can be read without a consumer group'
  return new SurprisalError(
    'INTERNAL',
    `this release of kafkajs is not one that is known: ${what}; ${advice}`,
  )
}
