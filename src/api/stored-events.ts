import type { LiveEvent, SeriesPoint } from '../core/ports.ts'
import type { ApiDeps } from './deps.ts'
import { driftOf, episodesOf } from './noticed.ts'

const MINUTE = 60_000
const WINDOW = 5 * MINUTE
const ANOMALIES = 20
const EPISODES = 20

interface Look {
  readonly points: ReadonlyMap<number, SeriesPoint>
  readonly anomalies: ReadonlySet<string>
  readonly episodes: ReadonlyMap<string, string>
  readonly drift: string | undefined
}

/** What happens in a pipeline that another process runs, told by how its stored scores and notices change. */
export class StoredEvents {
  private readonly deps: ApiDeps
  private readonly looks = new Map<string, Look>()

  constructor(deps: ApiDeps) {
    this.deps = deps
  }

  /** What is new since the last look at the pipeline; nothing at the first. */
  async since(pipeline: string): Promise<LiveEvent[]> {
    const to = Date.now()
    const from = to - WINDOW
    const [points, { items }, episodes, [drift]] = await Promise.all([
      this.deps.store.series({ pipeline, from, to, step: MINUTE }),
      this.deps.store.query({ pipeline, verdicts: ['anomaly'], from, limit: ANOMALIES }),
      episodesOf(this.deps, pipeline, EPISODES),
      driftOf(this.deps, pipeline, { limit: 1 }),
    ])
    const before = this.looks.get(pipeline)
    this.looks.set(pipeline, {
      points: new Map(points.map((point) => [point.time, point])),
      anomalies: new Set(items.map(({ id }) => id)),
      episodes: new Map(episodes.map((episode) => [episode.id, JSON.stringify(episode)])),
      drift: drift?.to,
    })
    if (before === undefined) return []
    const more = (key: 'records' | 'anomalies' | 'unscored') =>
      points.reduce(
        (sum, point) => sum + Math.max(0, point[key] - (before.points.get(point.time)?.[key] ?? 0)),
        0,
      )
    const records = more('records')
    return [
      ...items
        .filter(({ id }) => !before.anomalies.has(id))
        .reverse()
        .map((record): LiveEvent => ({ kind: 'anomaly', pipeline, record })),
      ...(records === 0 ? [] : [scores(pipeline, to, records, more('anomalies'), more('unscored'), points)]),
      ...episodes
        .filter((episode) => before.episodes.get(episode.id) !== JSON.stringify(episode))
        .reverse()
        .map((episode): LiveEvent => ({ kind: 'episode', pipeline, episode })),
      ...(drift === undefined || drift.to === before.drift
        ? []
        : [{ kind: 'drift', pipeline, at: drift.to, text: drift.triggered.join(', ') } as const]),
    ]
  }
}

function scores(
  pipeline: string,
  at: number,
  records: number,
  anomalies: number,
  unscored: number,
  points: readonly SeriesPoint[],
): LiveEvent {
  const highest = points.reduce((max, { score_max }) => Math.max(max, score_max ?? 0), 0)
  const iso = new Date(at).toISOString()
  return { kind: 'scores', pipeline, at: iso, records, anomalies, unscored, score_max: highest }
}
