import type { SeriesPoint } from '../../core/ports.ts'

/** Records per bucket as a small area, with a dot where there were anomalies. */
export function Spark({ points }: { points: readonly SeriesPoint[] }) {
  const records = points.reduce((n, point) => n + point.records, 0)
  const anomalies = points.reduce((n, point) => n + point.anomalies, 0)
  const top = Math.max(1, ...points.map((point) => point.records))
  const x = (i: number) => (points.length < 2 ? 0 : (i / (points.length - 1)) * 160)
  const y = (value: number) => 30 - (value / top) * 26
  const line = points.map((point, i) => `${x(i).toFixed(1)},${y(point.records).toFixed(1)}`).join(' ')
  return (
    <svg
      class="spark"
      viewBox="0 0 160 32"
      preserveAspectRatio="none"
      role="img"
      aria-label={`Last hour: ${records} records, ${anomalies} anomalies`}
    >
      {points.length > 1 && (
        <>
          <polygon points={`0,31 ${line} 160,31`} />
          <polyline points={line} />
          {points.map((point, i) =>
            point.anomalies > 0 ? (
              <rect key={point.time} x={x(i) - 1} y={y(point.records) - 2} width="2.4" height="4" />
            ) : null,
          )}
        </>
      )}
    </svg>
  )
}
