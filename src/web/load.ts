import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiProblem, ask, tokenWanted } from './client.ts'
import { useSignal } from './signal.ts'

export interface Loaded<T> {
  readonly data: T | undefined
  readonly problem: ApiProblem | undefined
  reload(): void
}

/**
 * What the API says at a path, asked again every `every` milliseconds while the page is visible. Old data stays while
 * new data is on its way and when an answer fails, so nothing jumps. An undefined path asks nothing.
 */
export function useLoad<T>(path: string | undefined, every = 0): Loaded<T> {
  const [state, setState] = useState<{ path?: string; data?: T; problem?: ApiProblem }>({})
  const [turn, setTurn] = useState(0)
  const locked = useSignal(tokenWanted)
  const latest = useRef(0)
  useEffect(() => {
    if (path === undefined || locked) return
    const stop = new AbortController()
    const mine = ++latest.current
    let timer: ReturnType<typeof setTimeout> | undefined
    const load = async () => {
      try {
        if (document.visibilityState === 'visible') {
          const data = await ask<T>(path, { signal: stop.signal })
          if (mine === latest.current) setState({ path, data })
        }
      } catch (error) {
        if (stop.signal.aborted) return
        const problem = error instanceof ApiProblem ? error : new ApiProblem(0, String(error))
        if (mine === latest.current) setState((old) => ({ ...old, path, problem }))
      }
      if (every > 0 && !stop.signal.aborted) timer = setTimeout(load, every)
    }
    load()
    return () => {
      stop.abort()
      clearTimeout(timer)
    }
  }, [path, every, turn, locked])
  return { data: state.data, problem: state.problem, reload: () => setTurn((n) => n + 1) }
}
