import { useEffect, useRef, useState } from 'preact/hooks'
import type { ScoredRecord } from '../../core/scored.ts'
import type { PageOf } from '../answers.ts'
import { type ApiProblem, ask, withQuery } from '../client.ts'
import { compact, span } from '../format.ts'
import { useLive } from '../live.ts'
import { useLoad } from '../load.ts'
import { AnomalyTable } from '../parts/anomaly-table.tsx'
import { Empty, Loading, ProblemLine } from '../parts/notice.tsx'
import { SeriesChart, VolumeChart } from '../parts/series-chart.tsx'
import { setQuery } from '../router.ts'
import { useSeries } from '../series.ts'
import { FilterBar, useFilters } from './filters.tsx'

const PAGE = 50
/** The window moves on at most this often when scores come … */
const STEP = 1000
/** … and this often when none do. */
const IDLE = 10_000

/** Surprisal over time and the anomalies in it. */
export function Scores({ pipeline, threshold }: { pipeline: string; threshold: number | null }) {
  const [now, setNow] = useState(Date.now)
  const filters = useFilters(now)
  const turning = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  /** Asking anew before a slow server has answered would drop its answer, again and again. */
  const settled = useRef(false)
  const turn = (wait: number) => {
    turning.current ??= setTimeout(() => {
      turning.current = undefined
      if (document.visibilityState === 'visible' && settled.current) setNow(Date.now())
    }, wait)
  }
  const live = useLive(
    filters.live
      ? (event) => event.kind === 'scores' && event.pipeline === pipeline && turn(STEP)
      : undefined,
  )
  useEffect(() => {
    if (!filters.live) return
    const timer = setInterval(() => turn(0), live === 'live' ? IDLE : STEP)
    return () => clearInterval(timer)
  }, [filters.live, live])
  useEffect(() => () => clearTimeout(turning.current), [])
  const base = `/pipelines/${encodeURIComponent(pipeline)}`
  const range = { from: Math.floor(filters.from), to: Math.ceil(filters.to ?? now) }
  const { severity, suppressed, entity, order } = filters
  const seen = { severity, suppressed, entity, order }
  const listPath = withQuery(`${base}/scores`, { ...range, ...seen, verdict: 'anomaly', limit: PAGE })
  const series = useSeries(base, range, entity)
  const marked = useLoad<PageOf<ScoredRecord>>(
    withQuery(`${base}/anomalies`, { ...range, entity, suppressed, limit: 500 }),
  )
  const list = useLoad<PageOf<ScoredRecord>>(listPath)
  settled.current = series.settled && marked.settled && list.settled
  const points = series.data?.items ?? []
  const records = points.reduce((n, point) => n + point.records, 0)
  const anomalies = points.reduce((n, point) => n + point.anomalies, 0)
  return (
    <>
      <FilterBar filters={filters} state={live} />
      <ProblemLine
        problem={series.problem ?? list.problem ?? marked.problem}
        onRetry={() => {
          for (const one of [series, list, marked]) if (one.problem) one.reload()
        }}
      />
      <section class="panel" aria-label="Surprisal over time">
        <header class="panel-head">
          <h2>
            Surprisal <span class="quiet">−log₁₀ p</span>
          </h2>
          <p class="quiet" aria-live="off">
            {series.data
              ? `${compact(records)} records, ${compact(anomalies)} anomalies, ${span(series.data.step / 1000)} buckets`
              : ' '}
          </p>
        </header>
        <div class="chart-place">
          {series.data === undefined ? (
            series.problem === undefined && <Loading rows={1} />
          ) : records === 0 ? (
            <Empty title="No record came in this time">
              {filters.live ? 'It shows here as soon as one does. ' : ''}Take a longer range to look further
              back.
            </Empty>
          ) : (
            <>
              <SeriesChart
                points={points}
                anomalies={marked.data?.items ?? []}
                threshold={threshold}
                onZoom={(from, to) => setQuery({ from: from.toFixed(0), to: to.toFixed(0), range: null })}
              />
              <VolumeChart points={points} />
            </>
          )}
        </div>
      </section>
      <section class="panel flush" aria-label="Anomalies">
        {list.data === undefined ? (
          list.problem === undefined && <Loading rows={6} />
        ) : list.data.items.length === 0 ? (
          <Empty title="No anomalies in this range">
            {records > 0 ? `${compact(records)} records looked normal.` : null}
          </Empty>
        ) : (
          <Anomalies
            key={`${listPath.split('&')[0]}${JSON.stringify(seen)}`}
            pipeline={pipeline}
            first={list.data}
            path={listPath}
          />
        )}
      </section>
    </>
  )
}

function Anomalies({
  pipeline,
  first,
  path,
}: {
  pipeline: string
  first: PageOf<ScoredRecord>
  path: string
}) {
  const [more, setMore] = useState<readonly ScoredRecord[]>([])
  const [cursor, setCursor] = useState<string | null | undefined>()
  const [problem, setProblem] = useState<ApiProblem>()
  const next = cursor === undefined ? first.cursor : cursor
  const known = new Set(first.items.map((record) => record.id))
  return (
    <>
      <AnomalyTable
        pipeline={pipeline}
        records={[...first.items, ...more.filter((record) => !known.has(record.id))]}
      />
      <ProblemLine problem={problem} />
      {next !== null && (
        <div class="more">
          <button
            type="button"
            onClick={async () => {
              try {
                const page = await ask<PageOf<ScoredRecord>>(`${path}&cursor=${encodeURIComponent(next)}`)
                setMore([...more, ...page.items])
                setCursor(page.cursor)
                setProblem(undefined)
              } catch (error) {
                setProblem(error as ApiProblem)
              }
            }}
          >
            Show more
          </button>
        </div>
      )}
    </>
  )
}
