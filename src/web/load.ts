import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiProblem, ask, tokenWanted } from './client.ts'
import { type Heard, useLive } from './live.ts'
import { useSignal } from './signal.ts'

export interface Loaded<T> {
  readonly data: T | undefined
  readonly problem: ApiProblem | undefined
  /** What is there answers the present path. */
  readonly settled: boolean
  reload(): void
}

/** Asks by the clock while the live stream is not there. */
const WITHOUT_STREAM_MS = 3000

/**
 * What an event makes of the data that is shown: other data, or `ask` where only the server can tell. The same data,
 * or undefined, where the event is about something else.
 */
export type OnEvent<T> = (event: Exclude<Heard, { kind: 'again' }>, data: T) => T | 'ask' | undefined

/**
 * What the API says at a path, kept up to date by live events, and asked anew by the clock while their stream is away.
 * An event that makes a view ask does so at most every `atMostEvery` milliseconds. Old data stays while new data is on
 * its way and when an answer fails, so nothing jumps. An undefined path asks nothing.
 */
export function useLoad<T>(path: string | undefined, onEvent?: OnEvent<T>, atMostEvery = 1000): Loaded<T> {
  const [state, setState] = useState<{ path?: string; data?: T; problem?: ApiProblem }>({})
  const [turn, setTurn] = useState(0)
  const locked = useSignal(tokenWanted)
  const latest = useRef(0)
  const again = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const askSoon = () => {
    again.current ??= setTimeout(() => {
      again.current = undefined
      setTurn((n) => n + 1)
    }, atMostEvery)
  }
  const hear = (event: Heard) => {
    if (event.kind === 'again') return askSoon()
    if (state.data === undefined) return
    const next = onEvent?.(event, state.data)
    if (next === 'ask') askSoon()
    else if (next !== undefined && next !== state.data) setState((old) => ({ ...old, data: next }))
  }
  const live = useLive(onEvent === undefined || path === undefined || locked ? undefined : hear)
  const every = onEvent === undefined || live === 'live' ? 0 : WITHOUT_STREAM_MS
  useEffect(() => () => clearTimeout(again.current), [])
  useEffect(() => {
    if (path === undefined || locked) return
    const stop = new AbortController()
    const mine = ++latest.current
    let timer: ReturnType<typeof setTimeout> | undefined
    const load = async () => {
      if (document.visibilityState !== 'visible') {
        document.addEventListener('visibilitychange', load, { once: true, signal: stop.signal })
        return
      }
      let wait = every
      try {
        const data = await ask<T>(path, { signal: stop.signal })
        if (mine === latest.current) setState({ path, data })
      } catch (error) {
        if (stop.signal.aborted) return
        const problem = error instanceof ApiProblem ? error : new ApiProblem(0, String(error))
        if (mine === latest.current) setState((old) => ({ ...old, path, problem }))
        if (problem.mayPass) wait = WITHOUT_STREAM_MS
      }
      if (wait > 0 && !stop.signal.aborted) timer = setTimeout(load, wait)
    }
    load()
    return () => {
      stop.abort()
      clearTimeout(timer)
    }
  }, [path, every, turn, locked])
  return {
    data: state.data,
    problem: state.problem,
    settled: state.path === path,
    reload: () => setTurn((n) => n + 1),
  }
}
