import { useMemo } from 'preact/hooks'
import type uPlot from 'uplot'
import type { RetrainProgress } from '../../core/ports.ts'
import { compact, nats } from '../format.ts'
import { colour } from '../theme.ts'
import { axis, Chart } from './chart.tsx'

/** Training and held-out loss by step, nats. */
export function LossCurve({ curve }: { curve: NonNullable<RetrainProgress['curve']> }) {
  const data = useMemo<uPlot.AlignedData>(
    () => [curve.map((p) => p.step), curve.map((p) => p.train), curve.map((p) => p.held_out)],
    [curve],
  )
  const options = (): Omit<uPlot.Options, 'width' | 'height'> => ({
    cursor: { drag: { x: false, y: false } },
    legend: { live: true },
    scales: { x: { time: false } },
    axes: [axis({ values: (_, ticks) => ticks.map((t) => compact(t)) }), axis({ size: 48 })],
    series: [
      { label: 'step', value: (_, v) => (v === null ? '–' : compact(v)) },
      {
        label: 'training',
        stroke: colour('line-soft'),
        width: 1.5,
        value: (_, v) => nats(v),
        points: { show: false },
      },
      {
        label: 'held out',
        stroke: colour('line'),
        width: 2,
        value: (_, v) => nats(v),
        points: { show: false },
      },
    ],
  })
  const last = curve.at(-1)
  return (
    <Chart
      options={options}
      data={data}
      height={180}
      label={`Loss by training step; the last held-out loss is ${nats(last?.held_out)} nats`}
    />
  )
}
