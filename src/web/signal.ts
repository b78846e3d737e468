import { useEffect, useState } from 'preact/hooks'

/** A value that components can look at: the smallest store there is. */
export interface Signal<T> {
  get(): T
  set(value: T): void
  subscribe(listener: () => void): () => void
}

export function signal<T>(initial: T): Signal<T> {
  let value = initial
  const listeners = new Set<() => void>()
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return
      value = next
      for (const listener of listeners) listener()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

export function useSignal<T>(source: Signal<T>): T {
  const [value, show] = useState(source.get())
  useEffect(() => {
    show(source.get())
    return source.subscribe(() => show(source.get()))
  }, [source])
  return value
}
