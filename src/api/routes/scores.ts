import { z } from 'zod'
import type { ScoreBin, SeriesPoint } from '../../core/ports.ts'
import type { ScoredRecord } from '../../core/scored.ts'
import {
  calibrationPoint,
  label,
  listOf,
  pageOf,
  recordDensities,
  scoredRecordAnswer,
  seriesPoint,
} from '../answers.ts'
import { type App, answers } from '../app.ts'
import {
  anomaliesQuery,
  pipelinePath,
  rangeQuery,
  recordPath,
  recordQuery,
  scoresQuery,
  seriesQuery,
} from '../asked.ts'
import type { ApiDeps } from '../deps.ts'
import type { Pipelines } from '../pipelines.ts'
import { HttpProblem } from '../problem.ts'

const HOUR = 3_600_000
/** Widths that people read easily; the first that keeps a chart under its number of buckets is taken. */
const STEPS = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21_600, 43_200, 86_400, 604_800].map(
  (s) => s * 1000,
)

export function scoreRoutes(app: App, { store, labels, densities }: ApiDeps, pipelines: Pipelines): void {
  const find = async (
    { pipeline, id }: z.infer<typeof recordPath>,
    { run_id }: z.infer<typeof recordQuery>,
  ): Promise<ScoredRecord> => {
    const { items } = await store.query({ pipeline, id, runId: run_id ?? null, limit: 1 })
    if (items.length > 0) return items[0]
    throw new HttpProblem(404, `pipeline "${pipeline}" has no stored score with the id "${id}"`)
  }

  app.get(
    '/pipelines/:pipeline/scores',
    {
      schema: {
        summary: 'Scores, newest first or most surprising first',
        params: pipelinePath,
        querystring: scoresQuery,
        response: answers(pageOf(scoredRecordAnswer)),
      },
    },
    async ({ params, query }) => {
      await pipelines.mustExist(params.pipeline)
      const { verdict, severity, run_id, ...rest } = query
      return store.query({
        ...params,
        ...rest,
        ...(verdict && { verdicts: verdict }),
        ...(severity && { severities: severity }),
        ...(run_id !== undefined && { runId: run_id }),
      })
    },
  )

  app.get(
    '/pipelines/:pipeline/anomalies',
    {
      schema: {
        summary: 'The most surprising anomalies of a time range (the last 24 hours by default)',
        params: pipelinePath,
        querystring: anomaliesQuery,
        response: answers(pageOf(scoredRecordAnswer)),
      },
    },
    async ({ params, query }) => {
      await pipelines.mustExist(params.pipeline)
      const { from = Date.now() - 24 * HOUR, ...rest } = query
      return store.query({ ...params, ...rest, from, verdicts: ['anomaly'], order: 'score' })
    },
  )

  app.get(
    '/pipelines/:pipeline/scores/:id',
    {
      schema: {
        summary: 'One record with its attribution and what people said of it',
        params: recordPath,
        querystring: recordQuery,
        response: answers(z.object({ record: scoredRecordAnswer, labels: z.array(label) })),
      },
    },
    async ({ params, query }) => {
      const record = await find(params, query)
      const said = (await labels?.labels(params.pipeline)) ?? []
      return { record, labels: said.filter(({ id }) => id === params.id) }
    },
  )

  app.get(
    '/pipelines/:pipeline/scores/:id/densities',
    {
      schema: {
        summary:
          'What the version that scored a record expects of each field, the others being what they are',
        params: recordPath,
        querystring: recordQuery,
        response: answers(recordDensities),
      },
    },
    async ({ params, query }) => {
      if (densities === undefined) throw new HttpProblem(501, 'this server has no models at hand to ask')
      const found = await densities(await find(params, query))
      if (found !== undefined) return found
      throw new HttpProblem(409, `the models of pipeline "${params.pipeline}" are not at hand here`)
    },
  )

  app.get(
    '/pipelines/:pipeline/series',
    {
      schema: {
        summary: 'Counts and quantiles of the score in buckets of time (the last hour by default)',
        params: pipelinePath,
        querystring: seriesQuery,
        response: answers(listOf(seriesPoint).extend({ step: z.number() })),
      },
    },
    async ({ params, query }) => {
      await pipelines.mustExist(params.pipeline)
      const { to = Date.now(), buckets, entity } = query
      const from = query.from ?? to - HOUR
      const step =
        query.step ?? STEPS.find((width) => (to - from) / width <= buckets) ?? STEPS[STEPS.length - 1]
      const points = await store.series({
        ...params,
        from,
        to,
        step,
        ...(entity !== undefined && { entity }),
      })
      return { items: points.map(withRate), step }
    },
  )

  app.get(
    '/pipelines/:pipeline/calibration',
    {
      schema: {
        summary: 'Realised against nominal alarm rates (over the last 24 hours by default)',
        params: pipelinePath,
        querystring: rangeQuery,
        response: answers(listOf(calibrationPoint).extend({ records: z.number().int() })),
      },
    },
    async ({ params, query }) => {
      await pipelines.mustExist(params.pipeline)
      const { to = Date.now() } = query
      const bins = await store.distribution({ ...params, from: query.from ?? to - 24 * HOUR, to })
      return { items: calibrationOf(bins), records: bins.reduce((sum, bin) => sum + bin.count, 0) }
    },
  )
}

function withRate(point: SeriesPoint) {
  const scored = point.records - point.unscored
  return { ...point, alarm_rate: scored > 0 ? point.anomalies / scored : null }
}

/** score = −log10 p, so the records above a bin's edge are those with p under 10^−edge. */
function calibrationOf(bins: readonly ScoreBin[]): z.infer<typeof calibrationPoint>[] {
  const total = bins.reduce((sum, bin) => sum + bin.count, 0)
  let above = total
  const points: z.infer<typeof calibrationPoint>[] = []
  for (const { up_to, count } of bins) {
    above -= count
    if (above > 0 && up_to < 12) points.push({ nominal: 10 ** -up_to, realised: above / total })
  }
  return points.reverse()
}
