import { Deadlines, type Due } from './deadlines.ts'
import type { RecordBatch } from './record.ts'
import { sliceBatch } from './slice-batch.ts'

/** Where one of the streams is: its rows from `start` to before `row` are taken and not given yet. */
interface Head extends Due {
  readonly batches: AsyncIterator<RecordBatch>
  batch: RecordBatch
  start: number
  row: number
  /** When the row `start` is due. */
  since: number
  /** The latest time so far: a late record stays behind the one before it. */
  latest: number
}

/** Rows that are put in order before they are given: what is given later is not earlier. */
const TOGETHER = 4096
const NOTHING: RecordBatch = { rows: 0, columns: new Map(), origin: { prefix: '', offsets: { first: 0 } } }

/**
 * The records of several streams as one in the order of their event times, each stream's own order kept: a k-way merge
 * over a heap of their heads. A batch holds records of one stream, so the order is exact from one 4,096 records to the
 * next, and within them that of the batches' first records. Holds one batch a stream and 4,096 records.
 */
export async function* mergeByTime(
  streams: readonly AsyncIterable<RecordBatch>[],
): AsyncGenerator<RecordBatch, void, undefined> {
  const heads = streams.map(headOf)
  const queue = new Deadlines<Head>()
  let taken: { readonly since: number; readonly batch: RecordBatch }[] = []
  let rows = 0
  const take = (head: Head) => {
    const { since, batch, start, row } = head
    if (row > start) taken.push({ since, batch: sliceBatch(batch, start, row) })
    head.start = row
    head.since = head.due
  }
  try {
    await Promise.all(heads.map(async (head) => (await refill(head)) && queue.set(head, head.due)))
    for (let { first: head } = queue; head !== undefined; { first: head } = queue) {
      queue.delete(head)
      const limit = queue.first?.due ?? Number.POSITIVE_INFINITY
      while (head.row < head.batch.rows && head.due <= limit && rows < TOGETHER) {
        rows++
        head.row++
        head.due = dueAt(head)
      }
      const more = head.row < head.batch.rows
      if (!more) take(head)
      if (more || (await refill(head))) queue.set(head, head.due)
      if (rows < TOGETHER && queue.size > 0) continue
      heads.forEach(take)
      for (const { batch } of taken.sort((a, b) => a.since - b.since)) yield batch
      taken = []
      rows = 0
    }
  } finally {
    await Promise.all(heads.map(({ batches }) => batches.return?.()))
  }
}

function headOf(batches: AsyncIterable<RecordBatch>): Head {
  const latest = Number.NEGATIVE_INFINITY
  const iterator = batches[Symbol.asyncIterator]()
  return {
    batches: iterator,
    batch: NOTHING,
    start: 0,
    row: 0,
    since: latest,
    latest,
    due: latest,
    place: -1,
  }
}

/** The next batch of a stream whose rows are taken; false where it has ended. */
async function refill(head: Head): Promise<boolean> {
  for (;;) {
    const { done, value } = await head.batches.next()
    if (done) return false
    if (value.rows === 0) continue
    head.batch = value
    head.start = 0
    head.row = 0
    head.due = dueAt(head)
    head.since = head.due
    return true
  }
}

/** When the row that a head is at is due. */
function dueAt(head: Head): number {
  const time = head.batch.eventTime?.[head.row] ?? Number.NaN
  if (time > head.latest) head.latest = time
  return head.latest
}
