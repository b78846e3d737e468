import { signal, useSignal } from './signal.ts'

interface Place {
  readonly path: readonly string[]
  readonly query: URLSearchParams
}

const here = (): Place => ({
  path: location.pathname.split('/').filter(Boolean).map(decodeURIComponent),
  query: new URLSearchParams(location.search),
})

const place = signal(here())
addEventListener('popstate', () => place.set(here()))

export function usePlace(): Place {
  return useSignal(place)
}

export function go(url: string, replace = false): void {
  history[replace ? 'replaceState' : 'pushState'](null, '', url)
  place.set(here())
}

/** Changes filters in the address; null and '' take one away. Nothing else of the address changes. */
export function setQuery(changes: Readonly<Record<string, string | null>>, replace = false): void {
  const query = new URLSearchParams(location.search)
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === '') query.delete(key)
    else query.set(key, value)
  }
  const text = query.toString()
  go(`${location.pathname}${text === '' ? '' : `?${text}`}`, replace)
}

/** The address of a view; names are encoded. */
export function pathTo(...parts: readonly string[]): string {
  return `/${parts.map(encodeURIComponent).join('/')}`
}

/** Lets plain clicks on links of this page change the view without a reload. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return
  const link = (event.target as Element).closest?.('a')
  if (!link || link.origin !== location.origin || link.target || link.pathname.startsWith('/api/')) return
  event.preventDefault()
  go(link.pathname + link.search)
  scrollTo(0, 0)
  document.getElementById('main')?.focus({ preventScroll: true })
}
