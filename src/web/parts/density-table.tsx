import type { DensityCurve, FieldDensity } from '../../core/ports.ts'
import { signed, valueText } from '../format.ts'

const ROWS = 12

/** A density curve in figures, for those who cannot see it or want to read them off. */
export function DensityTable({ field, curve }: { field: FieldDensity; curve: DensityCurve }) {
  const { x, log_density } = curve
  const unit = curve.unit === null ? '' : `, ${curve.unit}`
  return (
    <details class="figures">
      <summary>In figures</summary>
      <table>
        <caption class="unseen">Density of {field.field}</caption>
        <thead>
          <tr>
            <th scope="col" class="num">
              Value{unit}
            </th>
            <th scope="col" class="num">
              log p, nats
            </th>
          </tr>
        </thead>
        <tbody>
          {places(x, field).map((i) => (
            <tr key={i}>
              <th scope="row" class="num">
                {valueText(x[i])}
                {nameOf(x[i], x, field)}
              </th>
              <td class="num">{signed(log_density[i], 2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  )
}

/** Points spread over the curve, and those nearest to what is marked on it. */
function places(
  x: readonly number[],
  { observed, expected, normal_low, normal_high }: FieldDensity,
): number[] {
  const spread = Array.from({ length: ROWS }, (_, i) => Math.round((i * (x.length - 1)) / (ROWS - 1)))
  const marked = [observed, expected, normal_low, normal_high].filter((value) => typeof value === 'number')
  return [...new Set([...spread, ...marked.map((value) => nearest(x, value))])].sort((a, b) => a - b)
}

function nameOf(at: number, x: readonly number[], field: FieldDensity): string {
  const is = (value: unknown) => typeof value === 'number' && x[nearest(x, value)] === at
  if (is(field.observed)) return ' (observed)'
  if (is(field.expected)) return ' (expected)'
  return is(field.normal_low) || is(field.normal_high) ? ' (edge of the 95 %)' : ''
}

function nearest(x: readonly number[], value: number): number {
  let best = 0
  for (let i = 1; i < x.length; i++) if (Math.abs(x[i] - value) < Math.abs(x[best] - value)) best = i
  return best
}
