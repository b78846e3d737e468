import type { AliasChange, ModelAlias, ModelVersion } from './ports.ts'

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

/** The latest version that was champion before the present one and is still there. */
export function championBefore(
  history: readonly AliasChange[],
  versions: readonly ModelVersion[],
): number | undefined {
  const present = aliasesAfter(history).get('champion')
  const there = new Set(versions.map(({ version }) => version))
  return history
    .filter(({ alias }) => alias === 'champion')
    .map(({ previous }) => previous)
    .findLast((version) => version !== null && version !== present && there.has(version)) as
    | number
    | undefined
}
