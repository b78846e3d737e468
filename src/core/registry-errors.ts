import { SurprisalError } from './errors.ts'

/** The same words for the same failure in every registry. */
export const staleFence = (model: string, fence: number, newest: number): SurprisalError =>
  new SurprisalError(
    'FENCE_STALE',
    `model "${model}": this attempt holds fencing token ${fence}, a newer one holds ${newest}; its result is refused. Nothing to do: the newer attempt publishes`,
  )

export const noSuchModel = (model: string, version: number): SurprisalError =>
  new SurprisalError(
    'MODEL_NOT_FOUND',
    `model "${model}" has no version ${version} (never made, or removed by retention); list them with: surprisal models list`,
  )

export const aliasedModel = (model: string, version: number, aliases: readonly string[]): SurprisalError =>
  new SurprisalError(
    'MODEL_EXISTS',
    `model "${model}" version ${version} is the ${aliases.join(' and ')}: point the alias elsewhere before removing it`,
  )
