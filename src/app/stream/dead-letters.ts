import type { PipelineConfig } from '../../../config/pipeline.ts'
import type { DeadLetter } from '../../../connectors/kafka/dead-letter-topic.ts'
import { SurprisalError } from '../../core/errors.ts'
import type { Logger } from '../../core/telemetry.ts'

export interface ListedLetter extends Readonly<Record<string, unknown>> {
  readonly place: string
  readonly source: string
  readonly at: string
  readonly reason: string
  readonly value: string
}

interface Asked {
  readonly signal: AbortSignal
  readonly logger: Logger
}

const SHOWN_BYTES = 60

/** Dead letters of a pipeline's topics, oldest first. USAGE where it has no Kafka source or keeps none. */
export async function listDeadLetters(
  config: PipelineConfig,
  { limit, ...asked }: Asked & { readonly limit: number },
): Promise<ListedLetter[]> {
  const rows: ListedLetter[] = []
  for await (const { letter, topic } of lettersOf(config, asked)) {
    if (rows.length === limit) break
    const { source, at, reason, message } = letter
    rows.push({
      place: `${topic}-${letter.partition}-${letter.offset}`,
      source: source.topic === '' ? '–' : `${source.topic}-${source.partition}-${source.offset}`,
      at,
      reason,
      value: message.value === null ? '–' : message.value.toString('utf8', 0, SHOWN_BYTES),
    })
  }
  return rows
}

/**
 * Sends dead letters back to the topics they came from; those named by `places`, or all. Returns how many. USAGE where
 * a place holds none; one that does not name its topic is logged and stays.
 */
export async function replayDeadLetters(
  config: PipelineConfig,
  { places, ...asked }: Asked & { readonly places: readonly string[] },
): Promise<number> {
  const wanted = new Set(places)
  let replayed = 0
  for await (const { letter, topic, replay } of lettersOf(config, asked)) {
    const place = `${topic}-${letter.partition}-${letter.offset}`
    if (wanted.size > 0 && !wanted.has(place)) continue
    wanted.delete(place)
    if (letter.source.topic === '') {
      asked.logger.warn({ place }, 'this dead letter does not name the topic that it came from: it stays')
      continue
    }
    await replay()
    replayed++
    if (places.length > 0 && wanted.size === 0) break
  }
  if (wanted.size > 0) throw new SurprisalError('USAGE', `there is no dead letter ${[...wanted].join(', ')}`)
  return replayed
}

async function* lettersOf(
  { kafka, source, dead_letters: settings }: PipelineConfig,
  { signal, logger }: Asked,
): AsyncGenerator<{ letter: DeadLetter; topic: string; replay: () => Promise<void> }> {
  if (kafka === undefined || source.type !== 'kafka' || settings === false)
    throw new SurprisalError(
      'USAGE',
      'the pipeline keeps no dead letters: it needs a kafka source and dead_letters',
    )
  const topics =
    settings.topic === undefined ? source.topics?.map((topic) => `${topic}.dlq`) : [settings.topic]
  if (topics === undefined)
    throw new SurprisalError(
      'USAGE',
      'name dead_letters.topic: source.pattern does not say which topics there are',
    )
  const { DeadLetterTopic } = await import('../../../connectors/kafka/dead-letter-topic.ts')
  for (const topic of topics) {
    await using letters = new DeadLetterTopic(kafka, topic, logger)
    for await (const letter of letters.letters(signal))
      yield { letter, topic, replay: () => letters.replay(letter) }
  }
}
