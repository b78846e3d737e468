import { batchOfRows, type RecordBatch } from '../../core/record.ts'
import { scoredRecords } from '../../core/scored-record.ts'
import { listOf, scoredRecordAnswer } from '../answers.ts'
import { type App, answers } from '../app.ts'
import { pipelinePath, recordsBody } from '../asked.ts'
import type { ApiDeps } from '../deps.ts'
import { HttpProblem, noModel } from '../problem.ts'

const ARROW = ['application/vnd.apache.arrow.stream', 'application/vnd.apache.arrow.file']

/** Scores records that are posted, without storing anything: their run_id is `ad-hoc`. */
export function scoringRoutes(app: App, { scorer, readArrow }: ApiDeps): void {
  app.addContentTypeParser(ARROW, { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.post(
    '/pipelines/:pipeline/score',
    {
      // Arrow is not JSON, so the body is checked below, after its type is known.
      schema: {
        summary: 'Score posted records with the champion: a JSON list of flat objects, or Arrow',
        consumes: ['application/json', ...ARROW],
        params: pipelinePath,
        response: answers(listOf(scoredRecordAnswer)),
      },
    },
    async ({ params: { pipeline }, body }) => {
      if (scorer === undefined) throw new HttpProblem(501, 'this server scores no posted records')
      const batch = await batchOf(body)
      const champion = await scorer(pipeline)
      if (champion === undefined) throw noModel(pipeline)
      const scored = await champion.score(batch, { pipeline, explain: true, runId: 'ad-hoc' })
      return { items: [...scoredRecords(scored)] }
    },
  )

  async function batchOf(body: unknown): Promise<RecordBatch> {
    if (Buffer.isBuffer(body)) {
      if (readArrow === undefined) throw new HttpProblem(415, 'this server reads JSON records only')
      return readArrow(body)
    }
    const records = recordsBody.safeParse(body)
    if (records.success) return batchOfRows(records.data, { prefix: 'posted', offsets: { first: 0 } })
    const issue = records.error.issues[0]
    throw new HttpProblem(400, `body/${issue.path.join('/')} ${issue.message}: post a list of flat objects`)
  }
}
