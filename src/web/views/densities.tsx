import { useState } from 'preact/hooks'
import type { FieldDensity, RecordDensities } from '../../core/ports.ts'
import type { ScoredRecord } from '../../core/scored.ts'
import { signed, valueText } from '../format.ts'
import { useLoad } from '../load.ts'
import { DensityChart, type Scale } from '../parts/density-chart.tsx'
import { DensityTable } from '../parts/density-table.tsx'
import { LevelBars } from '../parts/level-bars.tsx'
import { Empty, Loading, ProblemLine } from '../parts/notice.tsx'

/** Fields that are drawn at once: the most surprising ones. */
const FIRST = 6

/** What the version that scored a record expects of each field, the others being what they are. */
export function Densities({ path, record }: { path: string; record: ScoredRecord }) {
  const explained = record.attribution.length > 0
  const { data, problem, reload } = useLoad<RecordDensities>(explained ? `${path}/densities` : undefined)
  const [scale, setScale] = useState<Scale>('linear')
  const [all, showAll] = useState(false)
  if (!explained) return null
  const fields = data?.fields ?? []
  const shown = all ? fields : fields.slice(0, FIRST)
  return (
    <section class="panel" aria-labelledby="densities-title">
      <header class="panel-head">
        <h2 id="densities-title">What was expected</h2>
        {data && (
          <fieldset class="segments">
            <legend class="unseen">Scale of the density</legend>
            {(['linear', 'log'] as const).map((name) => (
              <button
                key={name}
                type="button"
                aria-pressed={scale === name ? 'true' : 'false'}
                onClick={() => setScale(name)}
              >
                {name === 'linear' ? 'Density' : 'log p'}
              </button>
            ))}
          </fieldset>
        )}
      </header>
      <p class="quiet">
        The density of each field given all the others, by v{record.model_version}, which scored the record.
        {scale === 'log' && ' Nats per unit of the field.'}
      </p>
      <ul class="key" aria-hidden="true">
        <li class="key-range">95 % range</li>
        <li class="key-expected">expected</li>
        <li class="key-observed">observed</li>
      </ul>
      {problem && (problem.status === 501 || problem.status === 409 || problem.status === 404) ? (
        <Empty title="No model to ask">{problem.detail}</Empty>
      ) : (
        <ProblemLine problem={problem} onRetry={reload} />
      )}
      {data === undefined && problem === undefined && <Loading rows={6} />}
      {data && data.assumed.length > 0 && (
        <p class="note">
          Not stored with the record and taken as missing: {data.assumed.join(', ')}. The curves are as close
          as the other fields allow.
        </p>
      )}
      {data && data.assumed.length === 0 && differs(data.log_prob, record.log_prob) && (
        <p class="note">
          Put together from its stored values, the record has log p {signed(data.log_prob, 2)}: what time it
          conditions on is not stored with it, so the curves are close, not exact.
        </p>
      )}
      <ul class="densities">
        {shown.map((field) => (
          <li key={field.field}>
            <Density field={field} scale={scale} />
          </li>
        ))}
      </ul>
      {fields.length > FIRST && (
        <button type="button" aria-expanded={all} onClick={() => showAll(!all)}>
          {all ? `Show the ${FIRST} most surprising` : `Show all ${fields.length} fields`}
        </button>
      )}
    </section>
  )
}

/** By more than rounding. */
function differs(found: number, stored: number | null): boolean {
  return stored !== null && Math.abs(found - stored) > 0.01 * Math.max(1, Math.abs(stored))
}

function Density({ field, scale }: { field: FieldDensity; scale: Scale }) {
  const { curve, levels } = field
  return (
    <article aria-label={field.field}>
      <header>
        <h3>{field.field}</h3>
        <span class="quiet">
          {valueText(field.value)} · {field.surprise_nats.toFixed(1)} nats
        </span>
      </header>
      {curve && <DensityChart field={field} curve={curve} scale={scale} />}
      {curve?.unit && <p class="note">{curve.unit}</p>}
      {levels.length > 0 && <LevelBars field={field.field} levels={levels} />}
      {curve && <DensityTable field={field} curve={curve} />}
      {curve === null && levels.length === 0 && <p class="quiet">This field is masked.</p>}
    </article>
  )
}
