import type { JobState, PipelineState } from '../../core/ports.ts'
import type { Severity } from '../../core/scored.ts'

const STATE_TONE: Readonly<Record<PipelineState | JobState, string>> = {
  running: 'good',
  completed: 'good',
  active: 'busy',
  starting: 'busy',
  waiting: 'calm',
  delayed: 'calm',
  unknown: 'calm',
  stopped: 'calm',
  cancelled: 'calm',
  degraded: 'warn',
  failed: 'bad',
}

/** A state in words, with a dot whose colour only repeats it. */
export function StateBadge({ state }: { state: PipelineState | JobState }) {
  return <span class={`state ${STATE_TONE[state]}`}>{state}</span>
}

/** A rule keeps the record from raising an alert; it is shown all the same. */
export function SuppressedBadge({ rule }: { rule: string | null }) {
  return rule === null ? null : (
    <span class="severity none" title={`suppressed by the rule ${rule}`}>
      suppressed: {rule}
    </span>
  )
}

export function SeverityBadge({ severity }: { severity: Severity | null }) {
  if (severity === null) return <span class="severity none">none</span>
  return <span class={`severity ${severity}`}>{severity}</span>
}
