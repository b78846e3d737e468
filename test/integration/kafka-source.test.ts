import { decodeJson } from '../../connectors/kafka/json.ts'
import { kafkaOptions, kafkaSourceOptions } from '../../connectors/kafka/options.ts'
import { RecordDecoder } from '../../connectors/kafka/record-decoder.ts'
import { KafkaSource } from '../../connectors/kafka/source.ts'
import { SILENT } from '../../src/core/telemetry.ts'
import { sourceSuite } from '../conformance/source.suite.ts'
import { shared } from '../services/shared.ts'
import { newTopic, produce } from '../services/topics.ts'

sourceSuite('KafkaSource', async () => {
  const brokers = await shared('kafka')
  const topic = await newTopic(brokers)
  return {
    publish: (records) =>
      produce(
        brokers,
        topic,
        records.map((record) => ({ value: JSON.stringify(record) })),
      ),
    async start({ rows }) {
      const options = kafkaSourceOptions.parse({
        type: 'kafka',
        topics: [topic],
        start: 'earliest',
        max_slice_records: rows,
      })
      const decoder = new RecordDecoder(options, decodeJson)
      const source = new KafkaSource({
        kafka: kafkaOptions.parse({ 'bootstrap.servers': brokers }),
        groupId: `group-${topic}`,
        options,
        decoder,
        logger: SILENT,
      })
      await source.open(new AbortController().signal)
      return source
    },
    async [Symbol.asyncDispose]() {},
  }
})
