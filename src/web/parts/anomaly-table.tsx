import type { ScoredRecord } from '../../core/scored.ts'
import { clock, oneIn } from '../format.ts'
import { pathTo } from '../router.ts'
import { SeverityBadge, SuppressedBadge } from './badges.tsx'
import { BlameBars } from './blame.tsx'

/** Anomalies with how improbable they are and the fields to blame. */
export function AnomalyTable({ pipeline, records }: { pipeline: string; records: readonly ScoredRecord[] }) {
  return (
    <table class="cards anomalies">
      <caption class="unseen">Anomalies</caption>
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Severity</th>
          <th scope="col" class="num">
            Surprisal
          </th>
          <th scope="col">Entity</th>
          <th scope="col">Fields to blame</th>
        </tr>
      </thead>
      <tbody>
        {records.map((record) => (
          <tr key={record.id}>
            <th scope="row" data-label="Time">
              <a href={pathTo('pipelines', pipeline, 'records', record.id)}>
                <time dateTime={record.event_time ?? record.scored_at}>
                  {clock(record.event_time ?? record.scored_at)}
                </time>
              </a>
            </th>
            <td data-label="Severity" class="badge-cell">
              <SeverityBadge severity={record.severity} /> <SuppressedBadge rule={record.suppressed} />
            </td>
            <td data-label="Surprisal" class="num">
              {record.score?.toFixed(2) ?? '–'}
              <span class="note">{oneIn(record.score)}</span>
            </td>
            <td data-label="Entity">{record.entity ?? <span class="quiet">–</span>}</td>
            <td data-label="Fields to blame" class="blame-cell">
              <BlameBars record={record} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
