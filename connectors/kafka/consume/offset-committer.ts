import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../../src/core/errors.ts'
import type { Logger } from '../../../src/core/telemetry.ts'
import { isGroupMoved } from '../errors.ts'
import type { PartitionQueue } from './partition-queue.ts'

export interface OffsetCommit {
  readonly topic: string
  readonly partition: number
  readonly offset: string
}

/** From one request to the next at least: a commit costs the broker as much as a write. */
const EVERY_MS = 50

/** Commits watermarks, one request at a time and not too often; what is acknowledged meanwhile goes in the next one. */
export class OffsetCommitter {
  private readonly send: (offsets: OffsetCommit[]) => Promise<void>
  private readonly logger: Logger
  private readonly dirty = new Set<PartitionQueue>()
  private running: Promise<void> | undefined
  private closed = false
  private begun = Number.NEGATIVE_INFINITY

  constructor(send: (offsets: OffsetCommit[]) => Promise<void>, logger: Logger) {
    this.send = send
    this.logger = logger
  }

  /** Resolves once the partition's present watermark is committed, or the partition is dropped. */
  async commit(partition: PartitionQueue): Promise<void> {
    this.dirty.add(partition)
    while (this.dirty.has(partition)) {
      this.running ??= this.round().finally(() => {
        this.running = undefined
      })
      await this.running
    }
  }

  /** Every acknowledged offset is committed. */
  get idle(): boolean {
    return this.dirty.size === 0
  }

  /** The partition was taken away: its offsets are another process's matter. */
  drop(partition: PartitionQueue): void {
    this.dirty.delete(partition)
  }

  close(): void {
    this.closed = true
    this.dirty.clear()
  }

  private async round(): Promise<void> {
    const left = this.begun + EVERY_MS - performance.now()
    if (left > 0) await sleep(left)
    this.begun = performance.now()
    if (this.dirty.size === 0) return
    const batch = [...this.dirty].map((queue) => ({ queue, watermark: queue.watermark }))
    try {
      await this.send(
        batch.map(({ queue, watermark }) => ({
          topic: queue.topic,
          partition: queue.partition,
          offset: String(watermark),
        })),
      )
      for (const { queue, watermark } of batch) if (queue.watermark === watermark) this.dirty.delete(queue)
    } catch (error) {
      if (this.closed) return
      // After the group has settled, partitions that stayed commit again; the others were dropped by then.
      const fields = { error: messageOf(error) }
      if (isGroupMoved(error)) this.logger.debug(fields, 'offsets not committed: the group is rebalancing')
      else this.logger.warn(fields, 'offsets not committed, trying again')
      await sleep(200)
    }
  }
}
