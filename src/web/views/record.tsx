import { useState } from 'preact/hooks'
import type { LabelledRecord } from '../../core/ports.ts'
import type { FieldSurprise, ScoredRecord } from '../../core/scored.ts'
import { type ApiProblem, ask } from '../client.ts'
import { ago, clock, oneIn, signed, valueText } from '../format.ts'
import { useLoad } from '../load.ts'
import { SeverityBadge, SuppressedBadge } from '../parts/badges.tsx'
import { Bar } from '../parts/bar.tsx'
import { normalText, RangeStrip } from '../parts/blame.tsx'
import { Facts } from '../parts/facts.tsx'
import { Empty, Loading, ProblemLine } from '../parts/notice.tsx'
import { pathTo } from '../router.ts'
import { Densities } from './densities.tsx'

interface Answer {
  readonly record: ScoredRecord
  readonly labels: readonly LabelledRecord[]
}

/** One record: how improbable, which fields are to blame, and what people said. */
export function Record({ pipeline, id }: { pipeline: string; id: string }) {
  const base = `/pipelines/${encodeURIComponent(pipeline)}`
  const path = `${base}/scores/${encodeURIComponent(id)}`
  const { data, problem, reload } = useLoad<Answer>(path)
  return (
    <>
      <div class="head">
        <div>
          <p class="crumb">
            <a href="/">Pipelines</a> / <a href={pathTo('pipelines', pipeline)}>{pipeline}</a>
          </p>
          <h1 class="breakable">
            {id} {data && <SeverityBadge severity={data.record.severity} />}{' '}
            {data && <SuppressedBadge rule={data.record.suppressed} />}
          </h1>
        </div>
      </div>
      <ProblemLine problem={problem} onRetry={reload} />
      {data === undefined && problem === undefined && <Loading rows={6} />}
      {data && (
        <>
          <Facts items={factsOf(data.record)} />
          {data.record.reasons.length > 0 && (
            <section class="panel">
              <h2>Notes</h2>
              <ul>
                {data.record.reasons.map((reason) => (
                  <li key={reason}>{reason}</li>
                ))}
              </ul>
            </section>
          )}
          <section class="panel flush">
            <header class="panel-head">
              <h2>Fields to blame</h2>
              <p class="quiet">Each field given all the others; the band is the central 95 %.</p>
            </header>
            {data.record.attribution.length === 0 ? (
              <Empty title="No attribution">Only flagged records are explained field by field.</Empty>
            ) : (
              <FieldTable fields={data.record.attribution} />
            )}
          </section>
          <Feedback base={base} answer={data} onSaid={reload} />
          <Densities path={path} record={data.record} />
        </>
      )}
    </>
  )
}

function factsOf(record: ScoredRecord): Parameters<typeof Facts>[0]['items'] {
  return [
    ['Surprisal', record.score?.toFixed(2) ?? '–', oneIn(record.score)],
    ['p-value', record.p_value?.toExponential(2) ?? '–', `flagged at ${record.threshold}`],
    ['log p', signed(record.log_prob, 2), 'nats'],
    ['Event time', clock(record.event_time), ago(record.event_time)],
    ['Entity', record.entity ?? '–'],
    [
      'Model',
      <a key="m" href={pathTo('models', record.pipeline)}>
        v{record.model_version}
      </a>,
    ],
  ]
}

function FieldTable({ fields }: { fields: readonly FieldSurprise[] }) {
  const scale = Math.max(12, fields[0].surprise_nats)
  return (
    <table class="cards fields">
      <caption class="unseen">Fields, most surprising first</caption>
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">Surprise</th>
          <th scope="col" class="num">
            Value
          </th>
          <th scope="col">Against the normal range</th>
          <th scope="col">Normal</th>
        </tr>
      </thead>
      <tbody>
        {fields.map((part) => (
          <tr key={part.field}>
            <th scope="row" data-label="Field">
              {part.field}
            </th>
            <td data-label="Surprise">
              <span class="bar-line">
                <Bar value={part.surprise_nats} max={scale} label={`Surprise of ${part.field}, nats`} />
                {part.surprise_nats.toFixed(1)} nats
              </span>
            </td>
            <td data-label="Value" class="num">
              {valueText(part.value)}
            </td>
            <td data-label="Against the normal range">
              {typeof part.value === 'number' && part.normal_low !== null && part.normal_high !== null ? (
                <RangeStrip value={part.value} low={part.normal_low} high={part.normal_high} />
              ) : (
                <span class="quiet">expected {valueText(part.expected)}</span>
              )}
            </td>
            <td data-label="Normal" class="quiet">
              {normalText(part)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Feedback({ base, answer, onSaid }: { base: string; answer: Answer; onSaid: () => void }) {
  const [problem, setProblem] = useState<ApiProblem>()
  const say = async (label: LabelledRecord['label']) => {
    try {
      await ask(`${base}/feedback`, { method: 'POST', body: { id: answer.record.id, label } })
      setProblem(undefined)
      onSaid()
    } catch (error) {
      setProblem(error as ApiProblem)
    }
  }
  return (
    <section class="panel">
      <h2>Was this right?</h2>
      <p class="quiet">Retraining leaves out records called anomalies, and learns from false alarms.</p>
      <div class="buttons start">
        <button type="button" onClick={() => say('anomaly')}>
          It is an anomaly
        </button>
        <button type="button" onClick={() => say('false_alarm')}>
          It is a false alarm
        </button>
      </div>
      <ProblemLine problem={problem} />
      <ul class="said" aria-live="polite">
        {answer.labels.map((label) => (
          <li key={label.at}>
            <b>{label.who}</b> called it {label.label === 'anomaly' ? 'an anomaly' : 'a false alarm'}{' '}
            <span class="quiet">{ago(label.at)}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
