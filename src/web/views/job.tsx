import { useState } from 'preact/hooks'
import type { RetrainJob } from '../../core/ports.ts'
import { type ApiProblem, ask } from '../client.ts'
import { jobChanged } from '../events.ts'
import { nats } from '../format.ts'
import { useLoad } from '../load.ts'
import { StateBadge } from '../parts/badges.tsx'
import { JobProgress } from '../parts/job-progress.tsx'
import { LossCurve } from '../parts/loss-curve.tsx'
import { Empty, Loading, ProblemLine } from '../parts/notice.tsx'
import { pathTo } from '../router.ts'

/** One job: its loss curve, its log, its result, and the buttons that stop or repeat it. */
export function Job({ id }: { id: string }) {
  const path = `/jobs/${encodeURIComponent(id)}`
  const { data: job, problem, reload } = useLoad<RetrainJob>(path, jobChanged(id))
  const [refused, setRefused] = useState<ApiProblem>()
  const act = async (what: 'cancel' | 'retry') => {
    try {
      await ask(`${path}/${what}`, { method: 'POST' })
      setRefused(undefined)
      reload()
    } catch (error) {
      setRefused(error as ApiProblem)
    }
  }
  if (job === undefined)
    return (
      <section class="panel job" aria-label="Retrain">
        {problem ? <ProblemLine problem={problem} onRetry={reload} /> : <Loading rows={6} />}
      </section>
    )
  const open = job.state === 'waiting' || job.state === 'delayed' || job.state === 'active'
  const { curve, held_out_nll } = job.progress
  return (
    <section class="panel job" aria-label={`Retrain of ${job.request.pipeline}`}>
      <header class="panel-head">
        <h2>
          <a href={pathTo('pipelines', job.request.pipeline)}>{job.request.pipeline}</a>{' '}
          <StateBadge state={job.state} />
        </h2>
        <div class="buttons">
          {open && (
            <button type="button" onClick={() => act('cancel')}>
              Cancel
            </button>
          )}
          {(job.state === 'failed' || job.state === 'cancelled') && (
            <button type="button" onClick={() => act('retry')}>
              Try again
            </button>
          )}
        </div>
      </header>
      <ProblemLine problem={refused ?? problem} />
      <JobProgress job={job} />
      <div class="columns">
        <div>
          <h3>
            Loss{' '}
            <span class="quiet">
              nats per record{held_out_nll === undefined ? '' : `, held out ${nats(held_out_nll)}`}
            </span>
          </h3>
          {curve === undefined || curve.length < 2 ? (
            <Empty title={open ? 'No loss curve yet' : 'No loss curve'}>
              {open ? 'It is drawn while the model is fitted.' : 'No model was fitted.'}
            </Empty>
          ) : (
            <LossCurve curve={curve} />
          )}
        </div>
        <div>
          <h3>Log</h3>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard. */}
          <pre class="log" role="log" tabIndex={0} aria-label="Log of the job">
            {job.log.join('\n') || 'Nothing yet.'}
          </pre>
        </div>
      </div>
    </section>
  )
}
