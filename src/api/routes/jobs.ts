import { SurprisalError } from '../../core/errors.ts'
import type { RetrainJob, RetrainQueue } from '../../core/ports.ts'
import { listOf, retrainJob, schedule } from '../answers.ts'
import { type App, answers } from '../app.ts'
import { jobPath, jobsQuery, pipelinePath, scheduleBody, startBody } from '../asked.ts'
import type { ApiDeps } from '../deps.ts'
import type { Pipelines } from '../pipelines.ts'
import { HttpProblem } from '../problem.ts'

export function jobRoutes(app: App, { queue, registry }: ApiDeps, pipelines: Pipelines): void {
  app.get(
    '/jobs',
    {
      schema: {
        summary: 'Retrain jobs, newest first',
        querystring: jobsQuery,
        response: answers(listOf(retrainJob)),
      },
    },
    async ({ query: { state, ...rest } }) => ({
      items: (await queue?.jobs({ ...rest, ...(state && { states: state }) })) ?? [],
    }),
  )

  app.get(
    '/jobs/:id',
    { schema: { summary: 'One job with its log', params: jobPath, response: answers(retrainJob) } },
    ({ params }) => find(params.id),
  )

  app.post(
    '/jobs',
    {
      config: { role: 'operate' },
      schema: {
        summary: 'Start a retrain; where one is open already, that one is returned',
        body: startBody,
        response: answers(retrainJob),
      },
    },
    async ({ body, caller }) => {
      if (!(await registry.models()).includes(body.pipeline)) await pipelines.mustExist(body.pipeline)
      return there().enqueue({ ...body, trigger: 'api', who: caller.name })
    },
  )

  app.post(
    '/jobs/:id/cancel',
    {
      config: { role: 'operate' },
      schema: { summary: 'Stop a job', params: jobPath, response: answers(retrainJob) },
    },
    async ({ params }) => {
      await find(params.id)
      await there().cancel(params.id)
      return find(params.id)
    },
  )

  app.post(
    '/jobs/:id/retry',
    {
      config: { role: 'operate' },
      schema: {
        summary: 'Try a failed or cancelled job again',
        params: jobPath,
        response: answers(retrainJob),
      },
    },
    async ({ params }) => {
      const { state } = await find(params.id)
      if (state !== 'failed' && state !== 'cancelled')
        throw new HttpProblem(
          409,
          `job ${params.id} is ${state}: only a failed or cancelled job is tried again`,
        )
      return there().retry(params.id)
    },
  )

  app.get(
    '/schedules',
    { schema: { summary: 'When pipelines are retrained by the clock', response: answers(listOf(schedule)) } },
    async () => ({ items: (await queue?.schedules()) ?? [] }),
  )

  app.put(
    '/schedules/:pipeline',
    {
      config: { role: 'operate' },
      schema: {
        summary: 'Retrain a pipeline by a cron expression',
        params: pipelinePath,
        body: scheduleBody,
        response: answers(listOf(schedule)),
      },
    },
    async ({ params, body }) => {
      await pipelines.mustExist(params.pipeline)
      await there().schedule(params.pipeline, body.cron, body.timezone)
      return { items: await there().schedules() }
    },
  )

  app.delete(
    '/schedules/:pipeline',
    {
      config: { role: 'operate' },
      schema: {
        summary: 'Retrain a pipeline by the clock no more',
        params: pipelinePath,
        response: answers(listOf(schedule)),
      },
    },
    async ({ params }) => {
      await there().schedule(params.pipeline, null)
      return { items: await there().schedules() }
    },
  )

  function there(): RetrainQueue {
    if (queue === undefined) throw new HttpProblem(501, 'this server has no retrain queue: set retrain.queue')
    return queue
  }

  async function find(id: string): Promise<RetrainJob> {
    const job = await queue?.job(id)
    if (job === undefined) throw new SurprisalError('JOB_NOT_FOUND', `the queue holds no job "${id}"`)
    return job
  }
}
