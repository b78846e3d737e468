import type { Producer } from 'kafkajs'
import type { Delivery } from '../../../src/core/ports.ts'
import { KafkaDelivery } from '../consume/delivery.ts'

/** Anything that sends to topics: a producer, or one transaction of it. */
export type Sender = Pick<Producer, 'sendBatch'>

/** The transaction that a delivery is being written in, if any. */
export function senderOf(delivery: Delivery | undefined): Sender | undefined {
  return delivery instanceof KafkaDelivery ? delivery.transaction : undefined
}
