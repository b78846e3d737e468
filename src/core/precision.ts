import type { LabelledRecord, Precision } from './ports.ts'

/** How often people agreed with the alarms that they judged. */
export function precisionOf(labels: Iterable<Pick<LabelledRecord, 'label'>>): Precision {
  const counts = { anomaly: 0, false_alarm: 0 }
  for (const { label } of labels) counts[label]++
  const labelled = counts.anomaly + counts.false_alarm
  return {
    labelled,
    confirmed: counts.anomaly,
    false_alarms: counts.false_alarm,
    precision: labelled === 0 ? null : counts.anomaly / labelled,
  }
}
