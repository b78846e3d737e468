import type { RetrainJob } from '../../core/ports.ts'
import { span } from '../format.ts'

/** How far a job is, and what it does now. */
export function JobProgress({ job }: { job: RetrainJob }) {
  const { stage, fraction, seconds_left, message } = job.progress
  if (job.state === 'failed') return <span class="problem-text">{job.error ?? 'failed'}</span>
  if (job.state === 'cancelled') return <span class="quiet">stopped at {stage}</span>
  const done = job.state === 'completed'
  const left = !done && seconds_left !== undefined ? `, ${span(seconds_left)} left` : ''
  return (
    <span class="job-progress">
      <progress
        max={1}
        value={done ? 1 : fraction}
        aria-label={`Progress of the retrain of ${job.request.pipeline}`}
      />
      <span class="note">
        {done ? 'done' : `${message ?? stage}, ${(fraction * 100).toFixed(0)} %${left}`}
      </span>
    </span>
  )
}
