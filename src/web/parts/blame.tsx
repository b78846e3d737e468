import type { FieldSurprise, ScoredRecord } from '../../core/scored.ts'
import { valueText } from '../format.ts'
import { Bar } from './bar.tsx'

/** The fields most to blame as bars whose lengths share one scale: nats of surprise. */
export function BlameBars({ record, most = 3 }: { record: ScoredRecord; most?: number }) {
  if (record.attribution.length === 0)
    return <span class="quiet">{record.reasons[0] ?? 'no single field stands out'}</span>
  const scale = Math.max(12, record.attribution[0].surprise_nats)
  return (
    <ul class="blame">
      {record.attribution.slice(0, most).map((part) => (
        <li key={part.field}>
          <span class="blame-field">{part.field}</span>
          <Bar value={part.surprise_nats} max={scale} label={`Surprise of ${part.field}, nats`} />
          <span class="blame-value">
            {valueText(part.value)}
            {typeof part.value === 'number' && part.normal_low !== null && part.normal_high !== null && (
              <RangeStrip value={part.value} low={part.normal_low} high={part.normal_high} />
            )}
          </span>
        </li>
      ))}
    </ul>
  )
}

/** Where a value stands against its normal range: the band is the range, the mark the value. */
export function RangeStrip({ value, low, high }: { value: number; low: number; high: number }) {
  const width = high - low || Math.abs(high) * 0.1 || 1
  const from = Math.min(low - width * 0.6, value - width * 0.1)
  const to = Math.max(high + width * 0.6, value + width * 0.1)
  const at = (x: number) => ((x - from) / (to - from)) * 100
  const inside = value >= low && value <= high
  const text = `normally ${valueText(low)} to ${valueText(high)}`
  return (
    <svg class="strip" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label={text}>
      <title>{text}</title>
      <line class="strip-axis" x1="0" x2="100" y1="5" y2="5" />
      <rect class="strip-range" x={at(low)} width={Math.max(1, at(high) - at(low))} y="2.5" height="5" />
      <rect class={inside ? 'strip-mark' : 'strip-mark out'} x={at(value) - 1} width="2" y="0" height="10" />
    </svg>
  )
}

/** What is normal for a field, in words. */
export function normalText(part: FieldSurprise): string {
  if (part.normal_low !== null && part.normal_high !== null)
    return `${valueText(part.normal_low)} to ${valueText(part.normal_high)}`
  return part.expected === null ? 'no expectation' : valueText(part.expected)
}
