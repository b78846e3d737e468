import { useMemo } from 'preact/hooks'
import type uPlot from 'uplot'
import type { DensityCurve, FieldDensity } from '../../core/ports.ts'
import { compact, signed, valueText } from '../format.ts'
import { colour } from '../theme.ts'
import { axis, Chart } from './chart.tsx'

export type Scale = 'linear' | 'log'

/** Nats under the peak that the logarithmic scale shows at most: 10⁻²⁶ of it. */
const DEPTH = 60

/** The density along a number: the normal range as a band, what was expected and what was observed as lines. */
export function DensityChart({
  field,
  curve,
  scale,
}: {
  field: FieldDensity
  curve: DensityCurve
  scale: Scale
}) {
  const data = useMemo<uPlot.AlignedData>(() => [[...curve.x], heights(curve, scale)], [curve, scale])
  const { observed, expected, normal_low, normal_high } = field
  const options = (): Omit<uPlot.Options, 'width' | 'height'> => ({
    padding: [8, 20, 0, 6],
    cursor: { drag: { x: false, y: false }, points: { size: 5 } },
    legend: { show: false },
    scales: { x: { time: false }, y: { range: (_, low, high) => yRange(low, high, scale) } },
    axes: [
      axis({ values: (_, ticks, __, ___, step) => ticks.map((tick) => tickText(tick, step)), space: 60 }),
      scale === 'log'
        ? axis({ size: 38, values: (_, ticks) => ticks.map((tick) => signed(tick, 0)) })
        : axis({ show: false }),
    ],
    hooks: {
      drawClear: [
        (plot) => {
          if (normal_low !== null && normal_high !== null) band(plot, normal_low, normal_high)
        },
      ],
      draw: [
        (plot) => {
          if (typeof expected === 'number') mark(plot, expected, 'muted', [4, 4])
          if (observed !== null) mark(plot, observed, isOutside(field) ? 'major' : 'text', [])
        },
      ],
    },
    series: [
      {},
      {
        stroke: colour('line'),
        width: 1.5,
        points: { show: false },
        ...(scale === 'linear' && { fill: colour('accent-soft') }),
      },
    ],
  })
  return (
    <Chart
      options={options}
      data={data}
      height={132}
      label={densityText(field)}
      shape={`${scale} ${field.field}`}
    />
  )
}

/** The chart in words. */
export function densityText(field: FieldDensity): string {
  const { expected, normal_low, normal_high, value } = field
  const range =
    normal_low === null || normal_high === null
      ? ''
      : `, in 95 % of cases ${valueText(normal_low)} to ${valueText(normal_high)}`
  return `Density of ${field.field} given the other fields: expected ${valueText(expected)}${range}; observed ${valueText(value)}`
}

function isOutside({ observed, normal_low, normal_high }: FieldDensity): boolean {
  if (observed === null || normal_low === null || normal_high === null) return false
  return observed < normal_low || observed > normal_high
}

function heights({ log_density }: DensityCurve, scale: Scale): number[] {
  const peak = Math.max(...log_density)
  return log_density.map((value) => (scale === 'log' ? value : Math.exp(value - peak)))
}

function yRange(low: number, high: number, scale: Scale): [number, number] {
  if (scale === 'linear') return [0, 1.06]
  const bottom = Math.max(low, high - DEPTH)
  return [bottom, high + 0.06 * Math.max(1, high - bottom)]
}

/** With the digits that tell a tick from the next, `step` away. */
function tickText(tick: number, step: number): string {
  if (Math.abs(tick) >= 1e4 && step >= 100) return compact(tick)
  const digits = Math.min(10, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)))
  if (step < 1e-4 || Math.abs(tick) >= 1e12) return valueText(tick)
  const fraction = { minimumFractionDigits: digits, maximumFractionDigits: digits }
  return tick.toLocaleString('en', fraction).replace('-', '−')
}

function band(plot: uPlot, low: number, high: number): void {
  const { ctx, bbox } = plot
  const [left, right] = [low, high].map((x) => plot.valToPos(x, 'x', true))
  ctx.save()
  ctx.fillStyle = colour('raised')
  ctx.fillRect(left, bbox.top, Math.max(2, right - left), bbox.height)
  ctx.restore()
}

function mark(plot: uPlot, x: number, name: string, dash: number[]): void {
  const { ctx, bbox } = plot
  const at = Math.min(Math.max(plot.valToPos(x, 'x', true), bbox.left), bbox.left + bbox.width)
  ctx.save()
  ctx.strokeStyle = colour(name)
  ctx.lineWidth = (dash.length > 0 ? 1 : 2) * devicePixelRatio
  ctx.setLineDash(dash.map((length) => length * devicePixelRatio))
  ctx.beginPath()
  ctx.moveTo(at, bbox.top)
  ctx.lineTo(at, bbox.top + bbox.height)
  ctx.stroke()
  ctx.restore()
}
