import type { DriftReport } from '../../core/ports.ts'
import type { Items } from '../answers.ts'
import { askedAgainBy } from '../events.ts'
import { clock, compact } from '../format.ts'
import { useLoad } from '../load.ts'
import { Bar } from '../parts/bar.tsx'
import { Empty, Loading, ProblemLine } from '../parts/notice.tsx'

/** Whether records still look like those the model learned from, field by field. */
export function Drift({ pipeline }: { pipeline: string }) {
  const { data, problem, reload } = useLoad<Items<DriftReport>>(
    `/pipelines/${encodeURIComponent(pipeline)}/drift?limit=24`,
    askedAgainBy('drift', pipeline),
  )
  const latest = data?.items.at(0)
  return (
    <section class="panel flush" aria-label="Drift">
      <ProblemLine problem={problem} onRetry={reload} />
      {data === undefined && problem === undefined && <Loading rows={6} />}
      {data !== undefined && latest === undefined && (
        <Empty title="No look at drift yet">
          Fields are compared with the training data once enough records have come.
        </Empty>
      )}
      {latest && (
        <>
          <header class="panel-head">
            <h2>
              {latest.triggered.length === 0
                ? 'No field has drifted'
                : `Drifted: ${latest.triggered.join(', ')}`}
            </h2>
            <p class="quiet">
              {compact(latest.records)} records from {clock(latest.from)} to {clock(latest.to)}
            </p>
          </header>
          <table class="cards">
            <caption class="unseen">Drift per field</caption>
            <thead>
              <tr>
                <th scope="col">Field</th>
                <th scope="col">Population stability index</th>
                <th scope="col">Earlier looks</th>
                <th scope="col" class="num">
                  p
                </th>
                <th scope="col">Verdict</th>
              </tr>
            </thead>
            <tbody>
              {latest.fields.map((field) => (
                <tr key={field.field}>
                  <th scope="row" data-label="Field">
                    {field.field}
                  </th>
                  <td data-label="Population stability index">
                    <span class="bar-line">
                      <Bar
                        value={field.effect}
                        max={0.5}
                        tone={field.effect >= 0.25 ? 'large' : field.effect >= 0.1 ? 'moderate' : 'steady'}
                        label={`Population stability index of ${field.field}`}
                      />
                      {field.effect.toFixed(3)}
                    </span>
                  </td>
                  <td data-label="Earlier looks">
                    <History looks={data!.items} field={field.field} />
                  </td>
                  <td data-label="p" class="num">
                    {field.p < 1e-4 ? field.p.toExponential(1) : field.p.toFixed(4)}
                  </td>
                  <td data-label="Verdict" class="badge-cell">
                    {field.drifted ? (
                      <span class="state warn">drifted</span>
                    ) : (
                      <span class="state good">steady</span>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </section>
  )
}

function History({ looks, field }: { looks: readonly DriftReport[]; field: string }) {
  const effects = looks.map((look) => look.fields.find((f) => f.field === field)?.effect ?? 0).reverse()
  return (
    <svg
      class="spark small"
      viewBox="0 0 120 24"
      preserveAspectRatio="none"
      role="img"
      aria-label={`${effects.length} looks, the largest index ${Math.max(...effects).toFixed(2)}`}
    >
      {effects.map((effect, i) => (
        <rect
          key={i}
          class={effect >= 0.1 ? 'hot' : ''}
          x={i * 5}
          width="3.6"
          y={24 - Math.max(1, Math.min(1, effect / 0.5) * 24)}
          height={Math.max(1, Math.min(1, effect / 0.5) * 24)}
        />
      ))}
    </svg>
  )
}
