import { usePlace } from '../router.ts'

/** Views of one thing as links, so that each has an address. */
export function Tabs({
  tabs,
  current,
  label,
}: {
  tabs: readonly (readonly [id: string, text: string])[]
  current: string
  label: string
}) {
  const { query } = usePlace()
  const to = (id: string): string => {
    const next = new URLSearchParams(query)
    if (id === tabs[0][0]) next.delete('view')
    else next.set('view', id)
    const text = next.toString()
    return `${location.pathname}${text === '' ? '' : `?${text}`}`
  }
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map(([id, text]) => (
        <a key={id} href={to(id)} aria-current={id === current ? 'page' : undefined}>
          {text}
        </a>
      ))}
    </nav>
  )
}
