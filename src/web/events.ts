import type { Episode, LiveEvent, PipelineStatus, RetrainJob } from '../core/ports.ts'
import type { Items } from './answers.ts'
import type { OnEvent } from './load.ts'

/** What live events make of the data that views show. */

/** A status replaces the one before; what it does not say (feedback) stays. */
export const statusChanged =
  (pipeline: string): OnEvent<PipelineStatus> =>
  (event, data) =>
    event.kind === 'status' && event.pipeline === pipeline ? { ...data, ...event.status } : undefined

export const statusesChanged: OnEvent<Items<PipelineStatus>> = (event, { items }) => {
  if (event.kind !== 'status') return undefined
  const known = items.find(({ name }) => name === event.pipeline)
  if (known === undefined) return 'ask'
  return { items: items.map((status) => (status === known ? { ...status, ...event.status } : status)) }
}

export const jobChanged =
  (id: string): OnEvent<RetrainJob> =>
  (event) =>
    event.kind === 'job' && event.job.id === id ? event.job : undefined

export const jobsChanged: OnEvent<Items<RetrainJob>> = (event, { items }) => {
  if (event.kind !== 'job') return undefined
  const { job } = event
  const others = items.filter(({ id }) => id !== job.id)
  if (others.length === items.length) return { items: [job, ...items] }
  return { items: items.map((one) => (one.id === job.id ? job : one)) }
}

export const episodesChanged =
  (pipeline: string): OnEvent<Items<Episode>> =>
  (event, { items }) => {
    if (event.kind !== 'episode' || event.pipeline !== pipeline) return undefined
    const { episode } = event
    const known = items.some(({ id }) => id === episode.id)
    return {
      items: known ? items.map((one) => (one.id === episode.id ? episode : one)) : [episode, ...items],
    }
  }

/** Asks again at events of a kind, of one pipeline or of any. */
export const askedAgainBy =
  (kind: 'model' | 'drift' | 'scores', pipeline?: string) =>
  (event: LiveEvent): 'ask' | undefined =>
    event.kind === kind && (pipeline === undefined || event.pipeline === pipeline) ? 'ask' : undefined
