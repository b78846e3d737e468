import { useState } from 'preact/hooks'
import type { PipelineStatus, RetrainJob, ShadowReport } from '../../core/ports.ts'
import { ask } from '../client.ts'
import { statusChanged } from '../events.ts'
import { ago, compact, percent } from '../format.ts'
import { useLoad } from '../load.ts'
import { StateBadge } from '../parts/badges.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { type FactItem, Facts } from '../parts/facts.tsx'
import { ProblemLine } from '../parts/notice.tsx'
import { Tabs } from '../parts/tabs.tsx'
import { go, pathTo, usePlace } from '../router.ts'
import { Calibration } from './calibration.tsx'
import { Drift } from './drift.tsx'
import { Episodes } from './episodes.tsx'
import { Scores } from './scores.tsx'

const TABS = [
  ['scores', 'Scores'],
  ['episodes', 'Episodes'],
  ['drift', 'Drift'],
  ['calibration', 'Calibration'],
] as const

/** One pipeline: how it is, and what it found. */
export function Pipeline({ name }: { name: string }) {
  const { query } = usePlace()
  const path = `/pipelines/${encodeURIComponent(name)}`
  const { data: status, problem, reload } = useLoad<PipelineStatus>(path, statusChanged(name))
  const [retraining, setRetraining] = useState(false)
  const tab = TABS.find(([id]) => id === query.get('view'))?.[0] ?? 'scores'
  return (
    <>
      <div class="head">
        <div>
          <p class="crumb">
            <a href="/">Pipelines</a>
          </p>
          <h1>
            {name} {status && <StateBadge state={status.state} />}
          </h1>
          {status?.reasons.map((reason) => (
            <p key={reason} class="reason">
              {reason}
            </p>
          ))}
        </div>
        <button type="button" onClick={() => setRetraining(true)}>
          Retrain
        </button>
      </div>
      <ProblemLine problem={problem} onRetry={reload} />
      <Facts items={factsOf(name, status)} />
      <Tabs tabs={TABS} current={tab} label={`Views of ${name}`} />
      {tab === 'scores' && <Scores pipeline={name} threshold={status?.nominal_rate ?? null} />}
      {tab === 'episodes' && <Episodes pipeline={name} />}
      {tab === 'drift' && <Drift pipeline={name} />}
      {tab === 'calibration' && <Calibration pipeline={name} rate={status?.nominal_rate ?? null} />}
      {retraining && (
        <Confirm
          title={`Retrain ${name}`}
          action="Start retrain"
          onClose={() => setRetraining(false)}
          onConfirm={async (reason) => {
            const job = await ask<RetrainJob>('/jobs', { method: 'POST', body: { pipeline: name, reason } })
            go(pathTo('jobs', job.id))
          }}
        >
          <p class="quiet">
            A new model is fitted on recent records. It becomes champion only if it is nowhere worse than the
            present one.
          </p>
        </Confirm>
      )}
    </>
  )
}

function factsOf(name: string, status: PipelineStatus | undefined): readonly FactItem[] {
  return [
    ['Records/s', compact(status?.records_per_second)],
    ['Lag', compact(status?.lag)],
    [
      'Anomalies',
      compact(status?.anomalies),
      status ? `of ${compact(status.records)} since ${ago(status.since)}` : ' ',
    ],
    ['Alarm rate', percent(status?.realised_rate), `${percent(status?.nominal_rate)} nominal`],
    ['Unscored', compact(status?.unscored)],
    [
      'Precision',
      percent(status?.feedback?.precision),
      status?.feedback ? `of ${status.feedback.labelled} judged` : ' ',
    ],
    [
      'Model',
      status?.model_version ? <a href={pathTo('models', name)}>v{status.model_version}</a> : '–',
      status?.model_created_at ? ago(status.model_created_at) : ' ',
    ],
    ...(status?.shadow ? [challengerFact(name, status.shadow)] : []),
  ]
}

/** What the challenger that waits for approval says otherwise than the champion. */
function challengerFact(name: string, shadow: ShadowReport): FactItem {
  const { version, records, only_challenger, only_champion } = shadow
  return [
    'Challenger',
    <a href={pathTo('models', name)}>v{version}</a>,
    `flags ${compact(only_challenger)} more, ${compact(only_champion)} fewer of ${compact(records)}`,
  ]
}
