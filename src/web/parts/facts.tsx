import type { ComponentChildren } from 'preact'

export type FactItem = readonly [name: string, value: ComponentChildren, note?: string]

/** A row of figures with their names. */
export function Facts({ items }: { items: readonly FactItem[] }) {
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
