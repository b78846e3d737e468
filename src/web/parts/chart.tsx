import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { useSignal } from '../signal.ts'
import { colour, theme } from '../theme.ts'

export interface ChartProps {
  /** Called again when the theme changes, because a canvas keeps its colours. */
  readonly options: () => Omit<uPlot.Options, 'width' | 'height'>
  readonly data: uPlot.AlignedData
  readonly height: number
  /** What a reader who cannot see the chart should know. */
  readonly label: string
  /** Rebuilds the chart when it changes; data alone is only redrawn. */
  readonly shape?: string
}

/** A uPlot that follows its column's width, its data and the theme. */
export function Chart({ options, data, height, label, shape }: ChartProps) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const latest = useRef({ options, data })
  latest.current = { options, data }
  const now = useSignal(theme)
  useEffect(() => {
    const element = box.current!
    const size = () => ({ width: Math.max(120, element.clientWidth), height })
    const made = new uPlot({ ...latest.current.options(), ...size() }, latest.current.data, element)
    plot.current = made
    const watcher = new ResizeObserver(() => made.setSize(size()))
    watcher.observe(element)
    return () => {
      watcher.disconnect()
      made.destroy()
      plot.current = null
    }
  }, [now, shape, height])
  useEffect(() => {
    plot.current?.setData(data)
  }, [data])
  return <div class="chart" ref={box} role="img" aria-label={label} style={{ minHeight: `${height}px` }} />
}

/** An axis in the page's type and colours. */
export function axis(more: uPlot.Axis = {}): uPlot.Axis {
  return {
    stroke: colour('muted'),
    grid: { stroke: colour('grid'), width: 1 },
    ticks: { show: false },
    font: '11px ui-sans-serif, system-ui, sans-serif',
    gap: 6,
    ...(more.size === undefined && { size: 30 }),
    ...more,
  }
}

const HOUR = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const SECOND = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })

/** Ticks of a time axis: the time of day, or the day at midnight. */
export function timeTicks(_: uPlot, ticks: number[], __: number, ___: number, step: number): string[] {
  return ticks.map((tick) => {
    const date = new Date(tick * 1000)
    if (date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0) return DAY.format(date)
    return (step < 60 ? SECOND : HOUR).format(date)
  })
}
