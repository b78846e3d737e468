import { signal } from './signal.ts'

export type Theme = 'light' | 'dark'
const KEY = 'surprisal-theme'
const dark = matchMedia('(prefers-color-scheme: dark)')

const chosen = (): Theme => {
  const kept = localStorage.getItem(KEY)
  return kept === 'light' || kept === 'dark' ? kept : dark.matches ? 'dark' : 'light'
}

/** What the reader chose, else what the system prefers. */
export const theme = signal<Theme>(chosen())
const show = () => {
  document.documentElement.dataset.theme = theme.get()
}
theme.subscribe(show)
show()
dark.addEventListener('change', () => theme.set(chosen()))

export function toggleTheme(): void {
  const next = theme.get() === 'dark' ? 'light' : 'dark'
  localStorage.setItem(KEY, next)
  theme.set(next)
}

/** A colour of style.css, for canvases. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
}
