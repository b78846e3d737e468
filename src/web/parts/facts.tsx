import type { ComponentChildren } from 'preact'

/** A row of figures with their names. */
export function Facts({
  items,
}: {
  items: readonly (readonly [name: string, value: ComponentChildren, note?: string])[]
}) {
  return (
    <dl class="facts">
      {items.map(([name, value, note]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {value}
            {note && <span class="note">{note}</span>}
          </dd>
        </div>
      ))}
    </dl>
  )
}
