import type { RetrainJob } from '../../core/ports.ts'
import type { Items } from '../answers.ts'
import { jobsChanged } from '../events.ts'
import { ago, clock, span } from '../format.ts'
import { useLoad } from '../load.ts'
import { StateBadge } from '../parts/badges.tsx'
import { JobProgress } from '../parts/job-progress.tsx'
import { Empty, Loading, ProblemLine } from '../parts/notice.tsx'
import { pathTo } from '../router.ts'
import { Job } from './job.tsx'
import { Schedules } from './schedules.tsx'

/** Retrain jobs, and one of them in detail. */
export function Jobs({ id }: { id: string | undefined }) {
  const { data, problem, reload } = useLoad<Items<RetrainJob>>('/jobs?limit=50', jobsChanged)
  return (
    <>
      <div class="head">
        <h1>Retrain jobs</h1>
      </div>
      <ProblemLine problem={problem} onRetry={reload} />
      {id !== undefined && <Job id={id} key={id} />}
      <div class="panel flush">
        {data === undefined && problem === undefined && <Loading rows={5} />}
        {data?.items.length === 0 && (
          <Empty title="No retrain yet">
            Start one on a pipeline's page, or let a schedule or drift do it.
          </Empty>
        )}
        {data !== undefined && data.items.length > 0 && (
          <table class="cards">
            <caption class="unseen">Jobs, newest first</caption>
            <thead>
              <tr>
                <th scope="col">Pipeline</th>
                <th scope="col">State</th>
                <th scope="col">Progress</th>
                <th scope="col">Why</th>
                <th scope="col">Asked</th>
                <th scope="col" class="num">
                  Took
                </th>
              </tr>
            </thead>
            <tbody>
              {data.items.map((job) => (
                <tr key={job.id} aria-current={job.id === id ? 'true' : undefined}>
                  <th scope="row" data-label="Pipeline">
                    <a class="strong" href={pathTo('jobs', job.id)}>
                      {job.request.pipeline}
                    </a>
                  </th>
                  <td data-label="State" class="badge-cell">
                    <StateBadge state={job.state} />
                  </td>
                  <td data-label="Progress" class="progress-cell">
                    <JobProgress job={job} />
                  </td>
                  <td data-label="Why">
                    {job.request.reason}
                    <span class="note">
                      {job.request.trigger}, {job.request.who}
                    </span>
                  </td>
                  <td data-label="Asked" title={clock(job.created_at)}>
                    {ago(job.created_at)}
                  </td>
                  <td data-label="Took" class="num">
                    {took(job)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      <Schedules />
    </>
  )
}

function took(job: RetrainJob): string {
  if (job.started_at === null) return '–'
  const end = job.finished_at === null ? Date.now() : Date.parse(job.finished_at)
  return span((end - Date.parse(job.started_at)) / 1000)
}
