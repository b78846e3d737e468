import { createRequire } from 'node:module'
import type { Kafka as Client } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { clusterOf, withKnownCoordinators } from '../../../connectors/kafka/cluster.ts'
import { FetchedBatch, Kafka } from '../../../connectors/kafka/wire/kafkajs.ts'

const require = createRequire(import.meta.url)
const client = () => new Kafka({ brokers: ['127.0.0.1:1'] })
const creator = (of: Client) =>
  Object.getOwnPropertySymbols(of).find(({ description }) => description === 'private:Kafka:createCluster')!

describe('what is taken of the client below its consumers', () => {
  it('is there in the release that is installed', () => {
    const kafka = client()
    expect(clusterOf(kafka)).not.toBe(clusterOf(kafka))
    const Broker = require('kafkajs/src/broker')
    expect(Broker.prototype.fetch).toBeInstanceOf(Function)
    const batch = new FetchedBatch('t', '7', { partition: 0, messages: [] })
    expect(batch).toMatchObject({ rawMessages: [], messages: [] })
    expect(batch.lastOffset).toBeInstanceOf(Function)
  })

  it('is missed loudly in a release without it', () => {
    const bare = Object.create({ admin() {} }) as Client
    expect(() => clusterOf(bare)).toThrow(
      /not one that is known: Kafka has no createCluster; install kafkajs/,
    )
    const other = client()
    Object.defineProperty(other, creator(other), { value: () => ({ connect() {}, disconnect() {} }) })
    expect(() => clusterOf(other)).toThrow(/its cluster has no addMultipleTargetTopics, .*fetchTopicsOffset/)
  })
})

describe('withKnownCoordinators', () => {
  it('asks once for each coordinator, and again where the answer was an error', async () => {
    const kafka = client()
    const asked: string[] = []
    let failures = 1
    const make = (kafka as unknown as Record<symbol, (options: object) => object>)[creator(kafka)]
    const find = async ({ groupId, coordinatorType }: { groupId: string; coordinatorType: number }) => {
      asked.push(`${coordinatorType} ${groupId}`)
      if (failures-- > 0) throw new Error('not available')
      return groupId
    }
    const value = (options: object) => Object.assign(make(options), { findGroupCoordinatorMetadata: find })
    Object.defineProperty(kafka, creator(kafka), { value })
    const cluster = clusterOf(withKnownCoordinators(kafka))
    const [group, transaction] = [0, 1].map((coordinatorType) => ({ groupId: 'g', coordinatorType }))
    await expect(cluster.findGroupCoordinatorMetadata(group)).rejects.toThrow('not available')
    for (const of of [group, group, transaction, group])
      expect(await cluster.findGroupCoordinatorMetadata(of)).toBe('g')
    expect(asked).toEqual(['0 g', '0 g', '1 g'])
    expect(await clusterOf(withKnownCoordinators(kafka)).findGroupCoordinatorMetadata(group)).toBe('g')
    expect(asked).toHaveLength(4)
  })
})
