import { contentIdOf } from '../../core/content-id.ts'
import { precisionOf } from '../../core/precision.ts'
import { batchOfRows } from '../../core/record.ts'
import { driftReport, episode, label, listOf } from '../answers.ts'
import { type App, answers } from '../app.ts'
import { driftQuery, feedbackBody, limitQuery, pipelinePath } from '../asked.ts'
import type { ApiDeps } from '../deps.ts'
import { driftOf, episodesOf } from '../noticed.ts'
import type { Pipelines } from '../pipelines.ts'
import { HttpProblem } from '../problem.ts'
import { pipelineStatus, precision } from '../status-answers.ts'

export function pipelineRoutes(app: App, deps: ApiDeps, pipelines: Pipelines): void {
  const { store, labels } = deps
  app.get(
    '/pipelines',
    {
      schema: {
        summary: 'Every pipeline with its state and reasons',
        response: answers(listOf(pipelineStatus)),
      },
    },
    async () => ({ items: await pipelines.list() }),
  )

  app.get(
    '/pipelines/:pipeline',
    { schema: { summary: 'One pipeline', params: pipelinePath, response: answers(pipelineStatus) } },
    ({ params }) => pipelines.status(params.pipeline),
  )

  app.get(
    '/pipelines/:pipeline/episodes',
    {
      schema: {
        summary: 'Anomalies that belong together, newest first',
        params: pipelinePath,
        querystring: limitQuery,
        response: answers(listOf(episode)),
      },
    },
    async ({ params, query }) => {
      await pipelines.mustExist(params.pipeline)
      return { items: await episodesOf(deps, params.pipeline, query.limit) }
    },
  )

  app.get(
    '/pipelines/:pipeline/drift',
    {
      schema: {
        summary: 'Whether records still look like those learned from, field by field, newest look first',
        params: pipelinePath,
        querystring: driftQuery,
        response: answers(listOf(driftReport)),
      },
    },
    async ({ params, query }) => {
      await pipelines.mustExist(params.pipeline)
      return { items: await driftOf(deps, params.pipeline, query) }
    },
  )

  app.get(
    '/pipelines/:pipeline/feedback',
    {
      schema: {
        summary: 'What people said of records, and how often they agreed with the alarms',
        params: pipelinePath,
        response: answers(listOf(label).extend({ summary: precision })),
      },
    },
    async ({ params }) => {
      const items = (await labels?.labels(params.pipeline)) ?? []
      return { items, summary: precisionOf(items) }
    },
  )

  app.post(
    '/pipelines/:pipeline/feedback',
    {
      config: { role: 'operate' },
      schema: {
        summary: 'Say that a record is an anomaly or a false alarm; retraining heeds it',
        params: pipelinePath,
        body: feedbackBody,
        response: answers(label),
      },
    },
    async ({ params, body, caller }) => {
      if (labels === undefined) throw new HttpProblem(501, 'this server keeps no labels')
      const { label, note } = body
      let id: string
      if ('record' in body) {
        await pipelines.mustExist(params.pipeline)
        id = contentIdOf(batchOfRows([body.record]), 0)
      } else {
        id = body.id
        const { items } = await store.query({ ...params, id, limit: 1 })
        if (items.length === 0)
          throw new HttpProblem(404, `pipeline "${params.pipeline}" has no stored score with the id "${id}"`)
      }
      const given = note === undefined ? { id, label } : { id, label, note }
      const said = { ...params, ...given, who: caller.name, at: new Date().toISOString() }
      await labels.put(said)
      return said
    },
  )
}
