import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyPartitioner, murmur2 } from '../../../../connectors/kafka/produce/key-partitioner.ts'
import { Partitioners } from '../../../../connectors/kafka/wire/kafkajs.ts'

describe('keyPartitioner', () => {
  it('hashes as Kafka’s own test of its hash says', () => {
    const known = {
      '21': -973932308,
      foobar: -790332482,
      'a-little-bit-long-string': -985981536,
      'a-little-bit-longer-string': -1486304829,
      abc: 479470107,
    }
    for (const [text, hash] of Object.entries(known)) expect(murmur2(Buffer.from(text))).toBe(hash)
  })

  it('agrees with the client’s own partitioner, by key, by partition and without either', () => {
    const ours = keyPartitioner()
    const theirs = Partitioners.DefaultPartitioner()
    const message = fc.record(
      {
        key: fc.oneof(
          fc.string(),
          fc.uint8Array().map((bytes) => Buffer.from(bytes)),
          fc.constant(null),
        ),
        partition: fc.nat(4),
        value: fc.constant('v'),
      },
      { requiredKeys: ['value'] },
    )
    const partitionMetadata = Array.from({ length: 7 }, (_, partitionId) => ({
      partitionId,
      leader: 1,
      partitionErrorCode: 0,
      replicas: [1],
      isr: [1],
    }))
    fc.assert(
      fc.property(message, (one) => {
        const args = { topic: 't', partitionMetadata, message: one }
        if (one.key === null || (one.key === undefined && one.partition === undefined))
          expect(ours(args)).toBeLessThan(7)
        else expect(ours(args)).toBe(theirs(args))
      }),
    )
  })
})
