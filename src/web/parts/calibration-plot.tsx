import { useMemo } from 'preact/hooks'
import type uPlot from 'uplot'
import { percent } from '../format.ts'
import { colour } from '../theme.ts'
import { axis, Chart } from './chart.tsx'

export interface CalibrationPoint {
  readonly nominal: number
  readonly realised: number
}

/** Realised against nominal alarm rates, both logarithmic: on the diagonal the p-values keep their word. */
export function CalibrationPlot({
  points,
  rate,
}: {
  points: readonly CalibrationPoint[]
  rate: number | null
}) {
  const data = useMemo<uPlot.AlignedData>(() => {
    const x = points.map((p) => Math.log10(p.nominal))
    return [x, x, points.map((p) => Math.log10(p.realised))]
  }, [points])
  const options = (): Omit<uPlot.Options, 'width' | 'height'> => ({
    cursor: { drag: { x: false, y: false } },
    legend: { live: true },
    scales: { x: { time: false }, y: {} },
    axes: [axis({ values: powers }), axis({ values: powers, size: 66 })],
    series: [
      { label: 'at a nominal rate of', value: (_, v) => (v === null ? '–' : percent(10 ** v)) },
      {
        label: 'ideal',
        stroke: colour('threshold'),
        dash: [5, 4],
        width: 1,
        points: { show: false },
        value: () => '',
      },
      {
        label: 'realised',
        stroke: colour('line'),
        width: 2,
        points: { show: false },
        value: (_, v) => (v === null ? '–' : percent(10 ** v)),
      },
    ],
  })
  const at = rate === null ? undefined : nearest(points, rate)
  const text =
    at === undefined
      ? 'Calibration: no scores to compare'
      : `Calibration: at a nominal rate of ${percent(at.nominal)} the realised rate is ${percent(at.realised)}`
  return (
    <figure class="calibration">
      <Chart options={options} data={data} height={240} label={text} />
      <figcaption>{text}.</figcaption>
    </figure>
  )
}

function powers(_: uPlot, ticks: number[]): string[] {
  return ticks.map((tick) => (Number.isInteger(tick) ? `${Number((10 ** (tick + 2)).toPrecision(1))} %` : ''))
}

function nearest(points: readonly CalibrationPoint[], rate: number): CalibrationPoint | undefined {
  let best: CalibrationPoint | undefined
  const distance = (point: CalibrationPoint) => Math.abs(Math.log(point.nominal / rate))
  for (const point of points) if (best === undefined || distance(point) < distance(best)) best = point
  return best
}
