import type { LevelShare } from '../../core/ports.ts'
import { percent, valueText } from '../format.ts'
import { Bar } from './bar.tsx'

/** The probability of each value of a category, or of the heaps and gaps of a number; the observed one stands out. */
export function LevelBars({ field, levels }: { field: string; levels: readonly LevelShare[] }) {
  return (
    <ul class="levels" aria-label={`Probability of the values of ${field}`}>
      {levels.map(({ value, probability, observed }) => (
        <li key={String(value)} class={observed ? 'observed' : undefined}>
          <span class="level-name" title={valueText(value)}>
            {valueText(value)}
            {observed && <span class="unseen"> (observed)</span>}
          </span>
          <Bar
            value={probability}
            max={1}
            tone={observed ? 'blame' : 'steady'}
            label={`Probability of ${valueText(value)}`}
          />
          <span class="num">{percent(probability)}</span>
        </li>
      ))}
    </ul>
  )
}
