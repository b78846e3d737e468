import type { Page, ScoreQuery } from '../../src/core/ports.ts'
import type { ScoredRecord } from '../../src/core/scored.ts'
import { HOUR } from '../../src/core/scores/rollup.ts'

const SPANS = [HOUR, 24 * HOUR]

/**
 * The newest records of a query, looked for in the hour before `end`, then in the day, then in all of its range. There
 * is no index on time, but blocks of rows know the times they hold: a page that the last hour fills leaves all others
 * unread, and no older record can come before one of it.
 */
export async function newestFirst(
  query: ScoreQuery,
  end: number,
  read: (query: ScoreQuery) => Promise<Page<ScoredRecord>>,
): Promise<Page<ScoredRecord>> {
  for (const span of SPANS) {
    const from = end - span
    if (!(from > (query.from ?? 0))) break
    const page = await read({ ...query, from })
    if (page.cursor !== null) return page
  }
  return read(query)
}
