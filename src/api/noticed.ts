import type { DriftReport, Episode, Heard, PipelineStatus, ShadowReport } from '../core/ports.ts'
import type { ApiDeps } from './deps.ts'

/** An open episode that no process has told of for so long is over: its process is gone. */
const FORGOTTEN = 3_600_000
const LOOKS = 1000
/** The states of several processes of a pipeline: the first of these is the pipeline's. */
const WORST = ['failed', 'degraded', 'starting', 'waiting', 'running', 'stopped', 'unknown'] as const

/** Episodes as this process sees them, and as others and earlier ones left them in the store; newest first. */
export async function episodesOf(
  { monitor, notices }: Pick<ApiDeps, 'monitor' | 'notices'>,
  pipeline: string,
  limit: number,
  now = Date.now(),
): Promise<Episode[]> {
  const [seen, kept] = await Promise.all([
    monitor?.episodes(pipeline, limit) ?? [],
    notices?.episodes(pipeline, limit) ?? [],
  ])
  const open = new Set(seen.map(({ id }) => id))
  const others = kept.filter(({ notice }) => !open.has(notice.id)).map((heard) => settled(heard, now))
  return [...seen, ...others]
    .sort((a, b) => Date.parse(b.started_at) - Date.parse(a.started_at))
    .slice(0, limit)
}

/** Looks at drift, newest first, each window once; those that found some, or found none, among the last thousand. */
export async function driftOf(
  { monitor, notices }: Pick<ApiDeps, 'monitor' | 'notices'>,
  pipeline: string,
  { limit, triggered }: { readonly limit: number; readonly triggered?: boolean | undefined },
): Promise<DriftReport[]> {
  const looks = triggered === undefined ? limit : LOOKS
  const [seen, kept] = await Promise.all([
    monitor?.drift(pipeline, looks) ?? [],
    notices?.drift(pipeline, looks) ?? [],
  ])
  const windows = new Map([...kept, ...seen].map((look) => [`${look.from}/${look.to}`, look]))
  return [...windows.values()]
    .filter((look) => triggered === undefined || look.triggered.length > 0 === triggered)
    .sort((a, b) => Date.parse(b.to) - Date.parse(a.to))
    .slice(0, limit)
}

/** One status for a pipeline that several processes run: the worst state, all reasons, the sums. */
export function together(statuses: readonly PipelineStatus[]): PipelineStatus {
  const live = statuses.filter(({ state }) => state !== 'stopped')
  const told = live.length > 0 ? live : statuses
  const { shadow: _, ...newest } = told.reduce((a, b) =>
    (b.model_version ?? 0) > (a.model_version ?? 0) ? b : a,
  )
  const shadow = shadowOfAll(told.flatMap(({ shadow }) => shadow ?? []))
  const sum = (key: 'records_per_second' | 'records' | 'anomalies' | 'unscored') =>
    told.reduce((total, status) => total + status[key], 0)
  const lags = told.map(({ lag }) => lag).filter((lag) => lag !== null)
  const [records, anomalies, unscored] = [sum('records'), sum('anomalies'), sum('unscored')]
  return {
    ...newest,
    state: WORST.find((state) => told.some((status) => status.state === state)) ?? 'unknown',
    reasons: [...new Set(told.flatMap(({ reasons }) => reasons))],
    records_per_second: sum('records_per_second'),
    records,
    anomalies,
    unscored,
    since: earliest(told),
    lag: lags.length === 0 ? null : lags.reduce((total, lag) => total + lag, 0),
    realised_rate: records > unscored ? anomalies / (records - unscored) : null,
    ...(shadow && { shadow }),
  }
}

/** What all processes saw of the newest challenger; one that has not heard of it yet counts nothing. */
function shadowOfAll(shadows: readonly ShadowReport[]): ShadowReport | undefined {
  const version = Math.max(...shadows.map((shadow) => shadow.version))
  const same = shadows.filter((shadow) => shadow.version === version)
  if (same.length === 0) return undefined
  const sum = (key: Exclude<keyof ShadowReport, 'version' | 'since'>): number =>
    same.reduce((total, shadow) => total + shadow[key], 0)
  return {
    version,
    since: earliest(same),
    records: sum('records'),
    skipped: sum('skipped'),
    both: sum('both'),
    neither: sum('neither'),
    only_champion: sum('only_champion'),
    only_challenger: sum('only_challenger'),
    unscored: sum('unscored'),
  }
}

function earliest(told: readonly { readonly since: string }[]): string {
  return told.reduce((first, { since }) => (since < first ? since : first), told[0].since)
}

function settled({ notice, heardAt }: Heard<Episode>, now: number): Episode {
  const forgotten = notice.ended_at === null && now - heardAt > FORGOTTEN
  return forgotten ? { ...notice, ended_at: new Date(heardAt).toISOString() } : notice
}
