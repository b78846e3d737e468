import { createRequire } from 'node:module'
import type { FetchedBatchClass } from '../cluster.ts'
import { groupByPartition } from '../produce/group-by-partition.ts'
import { codecOf } from './codecs.ts'
import { encodedProduce, type ProduceProtocol } from './encoded-produce.ts'
import { type BatchClass, fetchedBatch } from './fetched-batch.ts'
import { type FetchDecoder, fetchedRecords } from './fetched-records.ts'
import { type RequestEncoder, wholeRequest } from './whole-request.ts'

const require = createRequire(import.meta.url)

/** Exchanges what a module of kafkajs exports, before those that use it have read it. */
function exchange<T>(module: string, make: (before: T) => T): void {
  const path = require.resolve(`kafkajs/src/${module}`)
  const before: T = require(path)
  require.cache[path]!.exports = make(before)
}

// kafkajs makes a dozen objects of each record on its way in and out, copies a batch once a record to group it by
// partition, and a request twice: three quarters of a stream's work. These five do the same in passing; where another
// module has loaded kafkajs before, its own stay, slower and as right.
exchange<ProduceProtocol>('protocol/requests/produce', encodedProduce)
exchange<FetchDecoder>('protocol/requests/fetch/v4/decodeMessages', fetchedRecords)
exchange<RequestEncoder>('protocol/request', () => wholeRequest)
exchange<BatchClass>('consumer/batch', fetchedBatch)
exchange<typeof groupByPartition>('producer/groupMessagesPerPartition', () => groupByPartition)

const kafkajs: typeof import('kafkajs') = require('kafkajs')
/** What this folder takes of the client library: nowhere else is it loaded. */
export const { Kafka, logLevel, Partitioners } = kafkajs
export const FetchedBatch: FetchedBatchClass = require('kafkajs/src/consumer/batch')

// For messages of formats before 2, which the client reads itself.
const { Snappy, LZ4, ZSTD } = kafkajs.CompressionTypes
for (const type of [Snappy, LZ4, ZSTD] as const) kafkajs.CompressionCodecs[type] = () => codecOf(type)
