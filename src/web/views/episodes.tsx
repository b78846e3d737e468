import type { Episode } from '../../core/ports.ts'
import type { Items } from '../answers.ts'
import { episodesChanged } from '../events.ts'
import { clock, compact, oneIn, span } from '../format.ts'
import { useLoad } from '../load.ts'
import { SeverityBadge } from '../parts/badges.tsx'
import { Empty, Loading, ProblemLine } from '../parts/notice.tsx'

const KINDS = { silent: 'silent', stuck: 'stuck', regular: 'too regular' } as const

/** Anomalies that belong together, and entities that are silent, stuck or too regular. */
export function Episodes({ pipeline }: { pipeline: string }) {
  const { data, problem, reload } = useLoad<Items<Episode>>(
    `/pipelines/${encodeURIComponent(pipeline)}/episodes`,
    episodesChanged(pipeline),
  )
  return (
    <section class="panel flush" aria-label="Episodes">
      <ProblemLine problem={problem} onRetry={reload} />
      {data === undefined && problem === undefined && <Loading rows={5} />}
      {data?.items.length === 0 && (
        <Empty title="No episodes">An episode opens when anomalies follow one another closely.</Empty>
      )}
      {data !== undefined && data.items.length > 0 && (
        <table class="cards">
          <caption class="unseen">Episodes</caption>
          <thead>
            <tr>
              <th scope="col">Start</th>
              <th scope="col">Lasted</th>
              <th scope="col">Severity</th>
              <th scope="col" class="num">
                Anomalies
              </th>
              <th scope="col" class="num">
                Peak
              </th>
              <th scope="col">Entity</th>
              <th scope="col">Fields to blame</th>
            </tr>
          </thead>
          <tbody>
            {data.items.map((episode) => (
              <tr key={episode.id}>
                <th scope="row" data-label="Start">
                  {clock(episode.started_at)}
                </th>
                <td data-label="Lasted">
                  {episode.ended_at === null
                    ? 'goes on'
                    : span((Date.parse(episode.ended_at) - Date.parse(episode.started_at)) / 1000)}
                </td>
                <td data-label="Severity" class="badge-cell">
                  <SeverityBadge severity={episode.severity} />
                  {episode.kind !== undefined && ` ${KINDS[episode.kind]}`}
                </td>
                <td data-label="Anomalies" class="num">
                  {compact(episode.anomalies)}
                </td>
                <td data-label="Peak" class="num">
                  {episode.kind === undefined ? oneIn(episode.max_score) : '–'}
                </td>
                <td data-label="Entity">{episode.entity ?? '–'}</td>
                <td data-label="Fields to blame">{episode.fields.join(', ') || '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}
