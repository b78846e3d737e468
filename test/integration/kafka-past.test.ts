import { expect, it, vi } from 'vitest'
import { kafkaOptions, kafkaSourceOptions } from '../../connectors/kafka/options.ts'
import { TopicReplay } from '../../connectors/kafka/replay.ts'
import { decodeJson } from '../../connectors/kafka/values/json.ts'
import { RecordDecoder } from '../../connectors/kafka/values/record-decoder.ts'
import { SILENT } from '../../src/core/telemetry.ts'
import { shared } from '../services/shared.ts'
import { newTopic, produce } from '../services/topics.ts'

it('reads again what a partition held before an offset, and no more than it holds', async () => {
  const brokers = await shared('kafka')
  const topic = await newTopic(brokers, 2)
  const messages = Array.from({ length: 400 }, (_, i) => ({ value: `{"i":${i >> 1}}`, partition: i % 2 }))
  await produce(brokers, topic, messages)
  const options = kafkaSourceOptions.parse({ type: 'kafka', topics: [topic] })
  const kafka = kafkaOptions.parse({ 'bootstrap.servers': brokers })
  const replay = new TopicReplay(kafka, options, new RecordDecoder(options, decodeJson), SILENT)
  const before = async (partition: number, offset: number, records: number): Promise<number[]> => {
    const seen: number[] = []
    const place = { topic, partition, offset }
    for await (const batch of replay.before(place, records, new AbortController().signal)) {
      expect(batch.origin.prefix).toBe(`${topic}-${partition}`)
      const column = batch.columns.get('i')
      if (column?.kind === 'number') seen.push(...column.values)
    }
    return seen
  }
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
  // A broker that has just started may have no group coordinator yet; the pipeline asks again, too.
  const first = await vi.waitFor(() => before(1, 150, 40), { timeout: 30_000 })
  expect(first).toEqual(range(110, 150))
  expect(await before(0, 20, 1000)).toEqual(range(0, 20))
  expect(await before(0, 0, 10)).toEqual([])
})
