import type { ScoreQuery, ScoreStore } from '../../src/core/ports.ts'
import type { ScoredRecord } from '../../src/core/scored.ts'

/** All records that a query finds, page by page. */
export function everythingIn(store: () => ScoreStore) {
  return async (query: Omit<ScoreQuery, 'limit'>, limit = 1000): Promise<ScoredRecord[]> => {
    const records: ScoredRecord[] = []
    let cursor: string | undefined
    do {
      const page = await store().query({ ...query, limit, cursor })
      records.push(...page.items)
      cursor = page.cursor ?? undefined
    } while (cursor !== undefined)
    return records
  }
}

export function byId(records: readonly ScoredRecord[]): ScoredRecord[] {
  return [...records].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
}
