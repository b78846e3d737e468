import { useMemo, useRef } from 'preact/hooks'
import type { Series } from './answers.ts'
import { withQuery } from './client.ts'
import { type Loaded, useLoad } from './load.ts'

interface Window {
  /** Epoch milliseconds. */
  readonly from: number
  readonly to: number
}

/** What is known of a series that moves on. */
interface Known {
  readonly of: string
  readonly series: Series
  /** When all of it was asked for. */
  readonly at: number
}

const BUCKETS = 400
/** Records that come late change buckets that passed long ago, so all of them are asked for this often. */
const WHOLE_MS = 60_000

/** A series whose window moves on with the time: what passed stays, and only its end is asked for again and again. */
export function useSeries(base: string, { from, to }: Window, entity: string): Loaded<Series> {
  const known = useRef<Known | undefined>(undefined)
  const taken = useRef<Series | undefined>(undefined)
  const of = `${base} ${entity} ${Math.round((to - from) / 1000)}`
  const asked = useMemo(() => {
    const tail = tailOf(known.current, of, { from, to })
    const query = tail === undefined ? { from, buckets: BUCKETS } : tail
    return { path: withQuery(`${base}/series`, { ...query, to, entity }), tail }
  }, [of, from, to])
  const loaded = useLoad<Series>(asked.path)
  if (loaded.settled && loaded.data !== undefined && loaded.data !== taken.current) {
    taken.current = loaded.data
    known.current =
      asked.tail === undefined || known.current === undefined
        ? { of, series: loaded.data, at: Date.now() }
        : { ...known.current, series: movedOn(known.current.series, loaded.data, from) }
  }
  return { ...loaded, data: known.current?.series }
}

/** The end of a window to ask for, from the last bucket but one; undefined where all of it is to be asked for. */
export function tailOf(
  known: Known | undefined,
  of: string,
  { from, to }: Window,
): { from: number; step: number } | undefined {
  if (known === undefined || known.of !== of || Date.now() - known.at > WHOLE_MS) return undefined
  const { items, step } = known.series
  const [first, last] = [items.at(0)?.time, items.at(-2)?.time]
  if (first === undefined || last === undefined || first > from || last < from || last >= to) return undefined
  return { from: last, step }
}

/** A series with its new end, without what the window left behind. */
export function movedOn(series: Series, tail: Series, from: number): Series {
  const start = tail.items.at(0)?.time ?? Number.POSITIVE_INFINITY
  const kept = series.items.filter(({ time }) => time < start && time + series.step > from)
  return { ...series, items: [...kept, ...tail.items] }
}
