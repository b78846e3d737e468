import { useMemo, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import type { SeriesPoint } from '../../core/ports.ts'
import { type ScoredRecord, SEVERITIES } from '../../core/scored.ts'
import { compact, oneIn } from '../format.ts'
import { colour } from '../theme.ts'
import { axis, Chart, timeTicks } from './chart.tsx'

export interface SeriesChartProps {
  readonly points: readonly SeriesPoint[]
  readonly anomalies: readonly ScoredRecord[]
  /** The p-value at which records are flagged. */
  readonly threshold: number | null
  readonly onZoom: (from: number, to: number) => void
}

/** Both charts leave the same room, so that their times stand under one another. */
const PADDING: uPlot.Padding = [10, 14, 0, 0]

/** Surprisal over time: median, 99th percentile and maximum per bucket, the threshold, and the anomalies as dots. */
export function SeriesChart({ points, anomalies, threshold, onZoom }: SeriesChartProps) {
  const zoom = useRef(onZoom)
  zoom.current = onZoom
  const line = threshold === null ? null : -Math.log10(threshold)
  const data = useMemo(() => withDots(points, anomalies, line), [points, anomalies, line])
  const sum = (key: 'records' | 'anomalies') => points.reduce((n, point) => n + point[key], 0)
  const options = (): Omit<uPlot.Options, 'width' | 'height'> => ({
    padding: PADDING,
    cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 6 }, focus: { prox: 24 } },
    legend: { live: true },
    hooks: {
      setSelect: [
        (plot) => {
          const { left, width } = plot.select
          if (width < 4) return
          zoom.current(plot.posToVal(left, 'x') * 1000, plot.posToVal(left + width, 'x') * 1000)
          plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false)
        },
      ],
    },
    scales: { y: { range: (_, __, max) => [0, Math.max(line ?? 0, max || 0, 1) * 1.12] } },
    axes: [
      axis({ values: timeTicks }),
      axis({ size: 48, values: (_, ticks) => ticks.map((tick) => compact(tick)) }),
    ],
    series: [
      {
        label: 'Time',
        value: (_, value) => (value === null ? '–' : new Date(value * 1000).toLocaleString('en-GB')),
      },
      { label: 'median', stroke: colour('line-soft'), width: 1.5, value: shown, spanGaps: true },
      { label: 'p99', stroke: colour('line'), width: 1.5, value: shown, spanGaps: true },
      { label: 'max', stroke: colour('line-faint'), width: 1, value: shown, spanGaps: true },
      {
        label: 'threshold',
        stroke: colour('threshold'),
        width: 1,
        dash: [5, 4],
        points: { show: false },
        value: shown,
      },
      ...SEVERITIES.map((severity) => ({
        label: severity,
        stroke: colour(severity),
        paths: () => null,
        points: { show: true, size: severity === 'warning' ? 5 : 7, fill: colour(severity), width: 0 },
        value: (_: uPlot, value: number | null) => (value === null ? '–' : oneIn(value)),
      })),
    ],
  })
  return (
    <Chart
      options={options}
      data={data}
      height={260}
      label={`Surprisal over time: ${compact(sum('records'))} records, ${compact(sum('anomalies'))} anomalies. The table below lists them. Drag to zoom.`}
      shape={String(line)}
    />
  )
}

/** Records per bucket, and the anomalies among them. */
export function VolumeChart({ points }: { points: readonly SeriesPoint[] }) {
  const data = useMemo<uPlot.AlignedData>(
    () => [
      points.map((p) => p.time / 1000),
      points.map((p) => p.records),
      points.map((p) => p.anomalies || null),
    ],
    [points],
  )
  const bars = uPlot.paths.bars!({ size: [0.9, 24], gap: 1 })
  const options = (): Omit<uPlot.Options, 'width' | 'height'> => ({
    padding: [PADDING[0], PADDING[1], 6, PADDING[3]],
    cursor: { drag: { x: false, y: false }, points: { show: false } },
    legend: { show: false },
    scales: { y: { range: (_, __, max) => [0, max || 1] }, a: { range: (_, __, max) => [0, max || 1] } },
    axes: [
      axis({ show: false }),
      axis({
        size: 48,
        splits: (plot) => [0, plot.scales.y.max ?? 0],
        values: (_, ticks) => ticks.map((t) => compact(t)),
      }),
    ],
    series: [
      {},
      { label: 'records', fill: colour('bar'), paths: bars, points: { show: false } },
      {
        label: 'anomalies',
        scale: 'a',
        stroke: colour('major'),
        width: 1.5,
        paths: () => null,
        points: { show: true, size: 4, fill: colour('major') },
      },
    ],
  })
  return <Chart options={options} data={data} height={62} label="Records and anomalies per bucket of time" />
}

function shown(_: uPlot, value: number | null): string {
  return value === null || value === undefined ? '–' : value.toFixed(2)
}

/** Bucket lines and anomaly dots on one ascending time axis, as uPlot wants it. */
function withDots(
  points: readonly SeriesPoint[],
  anomalies: readonly ScoredRecord[],
  line: number | null,
): uPlot.AlignedData {
  const last = points.at(-1)?.time ?? Number.POSITIVE_INFINITY
  const dots = anomalies
    .map((record) => ({ record, time: Date.parse(record.event_time ?? record.scored_at) }))
    .filter(({ time }) => points.length > 0 && time >= points[0].time && time <= last + 3_600_000)
    .sort((a, b) => a.time - b.time)
  const x: number[] = []
  const columns: (number | null)[][] = Array.from({ length: 8 }, () => [])
  const push = (time: number, values: Readonly<Record<number, number | null>>) => {
    x.push(time / 1000)
    columns.forEach((column, i) => {
      column.push(values[i] ?? null)
    })
  }
  let next = 0
  const pushDots = (before: number) => {
    for (; next < dots.length && dots[next].time < before; next++) {
      const { record, time } = dots[next]
      push(time, { 3: line, [4 + SEVERITIES.indexOf(record.severity ?? 'warning')]: record.score })
    }
  }
  for (const point of points) {
    pushDots(point.time)
    push(point.time, { 0: point.score_p50, 1: point.score_p99, 2: point.score_max, 3: line })
  }
  pushDots(Number.POSITIVE_INFINITY)
  return [x, ...columns]
}
