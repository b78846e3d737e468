import type { Admin } from 'kafkajs'

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}
export interface StartOffset extends TopicPartition {
  readonly offset: string
  /** The group had committed it; else it is chosen now and to be committed at once. */
  readonly committed: boolean
}

/**
 * Where a group begins: at its committed offset, else where the pipeline says. A chosen start is committed before
 * the first record is read, so that a crash before the first acknowledgement cannot move "latest" past records.
 */
export class StartOffsets {
  private readonly groupId: string
  private readonly start: string

  /** @param start earliest, latest, or an ISO 8601 time: the first record at or after it. */
  constructor(groupId: string, start: string) {
    this.groupId = groupId
    this.start = start
  }

  async resolve(admin: Admin, partitions: readonly TopicPartition[]): Promise<StartOffset[]> {
    if (partitions.length === 0) return []
    const topics = [...new Set(partitions.map(({ topic }) => topic))]
    const committed = await admin.fetchOffsets({ groupId: this.groupId, topics })
    const known = new Map(
      committed.flatMap(({ topic, partitions }) =>
        partitions
          .filter(({ offset }) => Number(offset) >= 0)
          .map(({ partition, offset }): [string, string] => [`${topic}-${partition}`, offset]),
      ),
    )
    const chosen = new Map<string, string>()
    for (const topic of topics) {
      if (partitions.every((p) => p.topic !== topic || known.has(`${topic}-${p.partition}`))) continue
      for (const { partition, offset } of await this.choose(admin, topic))
        chosen.set(`${topic}-${partition}`, offset)
    }
    return partitions.map(({ topic, partition }) => {
      const name = `${topic}-${partition}`
      const offset = known.get(name)
      return offset === undefined
        ? { topic, partition, offset: chosen.get(name) ?? '0', committed: false }
        : { topic, partition, offset, committed: true }
    })
  }

  private async choose(admin: Admin, topic: string): Promise<{ partition: number; offset: string }[]> {
    if (this.start !== 'earliest' && this.start !== 'latest')
      return admin.fetchTopicOffsetsByTimestamp(topic, Date.parse(this.start))
    const offsets = await admin.fetchTopicOffsets(topic)
    return offsets.map(({ partition, low, high }) => ({
      partition,
      offset: this.start === 'earliest' ? low : high,
    }))
  }
}
