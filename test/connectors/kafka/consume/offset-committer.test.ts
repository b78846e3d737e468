import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type OffsetCommit, OffsetCommitter } from '../../../../connectors/kafka/consume/offset-committer.ts'
import { PartitionQueue } from '../../../../connectors/kafka/consume/partition-queue.ts'
import { SILENT } from '../../../../src/core/telemetry.ts'

describe('OffsetCommitter', () => {
  it('sends one request at a time and puts together what came meanwhile', async () => {
    const sent: OffsetCommit[][] = []
    let running = 0
    const committer = new OffsetCommitter(async (offsets) => {
      expect(++running).toBe(1)
      await sleep(5)
      running--
      sent.push(offsets)
    }, SILENT)
    const queues = [0, 1, 2].map((partition) => new PartitionQueue('t', partition, partition * 10))
    await Promise.all(queues.map((queue) => committer.commit(queue)))
    expect(sent.map((offsets) => offsets.map(({ partition }) => partition))).toEqual([[0], [1, 2]])
    expect(sent[1][0].offset).toBe('10')
  })

  it('sends nothing for a partition that went away before its turn', async () => {
    const sent: OffsetCommit[][] = []
    const committer = new OffsetCommitter(async (offsets) => {
      sent.push(offsets)
    }, SILENT)
    const [stays, goes] = [0, 1].map((partition) => new PartitionQueue('t', partition, 0))
    await committer.commit(stays)
    const waiting = committer.commit(goes)
    committer.drop(goes)
    await waiting
    expect(sent.flat().map(({ partition }) => partition)).toEqual([0])
    expect(committer.idle).toBe(true)
  })

  it('tries again until it succeeds, and gives up a partition that was taken away', async () => {
    let failures = 1
    const committer = new OffsetCommitter(async () => {
      if (failures-- > 0) throw new Error('coordinator is loading')
    }, SILENT)
    const queue = new PartitionQueue('t', 0, 0)
    await committer.commit(queue)
    expect(failures).toBeLessThan(0)
    failures = Number.POSITIVE_INFINITY
    const waiting = committer.commit(queue)
    committer.drop(queue)
    await waiting
  })
})
