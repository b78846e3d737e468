import type { PipelineStatus } from '../../core/ports.ts'
import type { Items, Series } from '../answers.ts'
import { withQuery } from '../client.ts'
import { askedAgainBy, statusesChanged } from '../events.ts'
import { ago, compact, percent } from '../format.ts'
import { useLoad } from '../load.ts'
import { StateBadge } from '../parts/badges.tsx'
import { Facts } from '../parts/facts.tsx'
import { Empty, Loading, ProblemLine } from '../parts/notice.tsx'
import { Spark } from '../parts/spark.tsx'
import { pathTo } from '../router.ts'

/** Every pipeline at a glance: health, rate, lag, anomalies, age of the model. */
export function Overview() {
  const { data, problem, reload } = useLoad<Items<PipelineStatus>>('/pipelines', statusesChanged)
  return (
    <>
      <div class="head">
        <h1>Pipelines</h1>
      </div>
      <ProblemLine problem={problem} onRetry={reload} />
      {data !== undefined && data.items.length > 0 && <Facts items={totals(data.items)} />}
      {data === undefined && problem === undefined && <Loading rows={4} />}
      {data?.items.length === 0 && (
        <Empty title="No pipeline yet">
          Attach one to a topic with <code>surprisal run pipeline.yaml</code>, or watch the built-in stream
          with <code>surprisal demo</code>.
        </Empty>
      )}
      {data !== undefined && data.items.length > 0 && (
        <div class="panel flush">
          <table class="cards">
            <caption class="unseen">Pipelines</caption>
            <thead>
              <tr>
                <th scope="col">Pipeline</th>
                <th scope="col">State</th>
                <th scope="col">Last hour</th>
                <th scope="col" class="num">
                  Records/s
                </th>
                <th scope="col" class="num">
                  Lag
                </th>
                <th scope="col" class="num">
                  Anomalies, 1 h
                </th>
                <th scope="col" class="num">
                  Alarm rate
                </th>
                <th scope="col">Model</th>
              </tr>
            </thead>
            <tbody>
              {data.items.map((status) => (
                <PipelineRow key={status.name} status={status} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  )
}

function totals(pipelines: readonly PipelineStatus[]): Parameters<typeof Facts>[0]['items'] {
  const sum = (key: 'records_per_second' | 'lag' | 'anomalies') =>
    pipelines.reduce((n, p) => n + (p[key] ?? 0), 0)
  const well = pipelines.filter((p) => p.state === 'running').length
  const attention = pipelines.filter((p) => p.state === 'degraded' || p.state === 'failed').length
  return [
    ['Running', `${well} of ${pipelines.length}`],
    ['Need attention', attention],
    ['Records/s', compact(sum('records_per_second'))],
    ['Waiting records', compact(sum('lag'))],
    ['Anomalies', compact(sum('anomalies'))],
  ]
}

function PipelineRow({ status }: { status: PipelineStatus }) {
  const series = useLoad<Series>(
    withQuery(`/pipelines/${encodeURIComponent(status.name)}/series`, { buckets: 60 }),
    askedAgainBy('scores', status.name),
    10_000,
  )
  const points = series.data?.items ?? []
  const anomalies = points.reduce((n, point) => n + point.anomalies, 0)
  return (
    <tr>
      <th scope="row" data-label="Pipeline">
        <a class="strong" href={pathTo('pipelines', status.name)}>
          {status.name}
        </a>
        {status.reasons.length > 0 && <span class="reason">{status.reasons[0]}</span>}
      </th>
      <td data-label="State" class="badge-cell">
        <StateBadge state={status.state} />
      </td>
      <td data-label="Last hour" class="spark-cell">
        <Spark points={points} />
      </td>
      <td data-label="Records/s" class="num">
        {compact(status.records_per_second)}
      </td>
      <td data-label="Lag" class="num">
        {compact(status.lag)}
      </td>
      <td data-label="Anomalies, 1 h" class="num">
        {series.data ? compact(anomalies) : '–'}
      </td>
      <td data-label="Alarm rate" class="num">
        {percent(status.realised_rate)}
        {status.nominal_rate !== null && <span class="note">of {percent(status.nominal_rate)} nominal</span>}
      </td>
      <td data-label="Model">
        {status.model_version === null ? (
          <span class="quiet">none yet</span>
        ) : (
          <a href={pathTo('models', status.name)}>v{status.model_version}</a>
        )}
        {status.model_created_at && <span class="note">{ago(status.model_created_at)}</span>}
      </td>
    </tr>
  )
}
