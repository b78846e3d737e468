import type { AliasChange, ModelAlias } from './ports.ts'

/** Where each alias points after all changes: the history is the only truth. */
export function aliasesAfter(history: readonly AliasChange[]): Map<ModelAlias, number> {
  const aliases = new Map<ModelAlias, number>()
  for (const change of history) {
    if (change.version === null) aliases.delete(change.alias)
    else aliases.set(change.alias, change.version)
  }
  return aliases
}

export function aliasesOf(version: number, aliases: ReadonlyMap<ModelAlias, number>): ModelAlias[] {
  return [...aliases].filter(([, target]) => target === version).map(([alias]) => alias)
}
