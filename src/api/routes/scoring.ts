import type { FastifyReply } from 'fastify'
import { validatorCompiler } from 'fastify-type-provider-zod'
import { batchOfRows, type RecordBatch } from '../../core/record.ts'
import type { ScoredBatch } from '../../core/scored.ts'
import { scoredRecords } from '../../core/scored-record.ts'
import { listOf, scoredRecordAnswer } from '../answers.ts'
import { type App, answers } from '../app.ts'
import { pipelinePath, recordsBody } from '../asked.ts'
import type { ApiDeps } from '../deps.ts'
import { HttpProblem, noModel } from '../problem.ts'

const ARROW_STREAM = 'application/vnd.apache.arrow.stream'
/** Records that share few fields make a wide and nearly empty table: some kilobytes of them would fill gigabytes. */
const MAX_CELLS = 4_000_000
const ARROW = [ARROW_STREAM, 'application/vnd.apache.arrow.file']

/** Scores records that are posted, without storing anything: their run_id is `ad-hoc`. */
export function scoringRoutes(app: App, { scorer, arrow }: ApiDeps): void {
  app.addContentTypeParser(ARROW, { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.post(
    '/pipelines/:pipeline/score',
    {
      // Arrow is not JSON, so the body is told here, and checked below, after its type is known.
      validatorCompiler: (route) =>
        route.httpPart === 'body' ? (value) => ({ value }) : validatorCompiler(route as never),
      schema: {
        summary: 'Score posted records with the champion: a JSON list of flat objects, or Arrow IPC',
        description: `Answers in Arrow IPC, with the columns of a score file, where Accept names ${ARROW_STREAM}.`,
        consumes: ['application/json', ...ARROW],
        params: pipelinePath,
        body: recordsBody,
        response: answers(listOf(scoredRecordAnswer)),
      },
    },
    async ({ params: { pipeline }, body, headers }, reply) => {
      if (scorer === undefined) throw new HttpProblem(501, 'this server scores no posted records')
      const inArrow = headers.accept?.includes(ARROW_STREAM) === true
      if (inArrow && arrow === undefined) throw new HttpProblem(406, 'this server answers in JSON only')
      const batches = await batchesOf(body)
      const champion = await scorer(pipeline)
      if (champion === undefined) throw noModel(pipeline)
      const scored: ScoredBatch[] = []
      for (const batch of batches)
        scored.push(await champion.score(batch, { pipeline, explain: true, runId: 'ad-hoc' }))
      if (!inArrow || arrow === undefined)
        return { items: scored.flatMap((part) => [...scoredRecords(part)]) }
      const bytes: unknown = Buffer.from(arrow.write(scored))
      return (reply as FastifyReply).type(ARROW_STREAM).send(bytes)
    },
  )

  async function batchesOf(body: unknown): Promise<readonly RecordBatch[]> {
    if (Buffer.isBuffer(body)) {
      if (arrow === undefined) throw new HttpProblem(415, 'this server reads JSON records only')
      return arrow.read(body)
    }
    const records = recordsBody.safeParse(body)
    if (records.success) {
      checkWidth(records.data)
      return [batchOfRows(records.data, { prefix: 'posted', offsets: { first: 0 } })]
    }
    const issue = records.error.issues[0]
    throw new HttpProblem(400, `body/${issue.path.join('/')} ${issue.message}: post a list of flat objects`)
  }
}

function checkWidth(records: readonly object[]): void {
  const fields = new Set<string>()
  for (const record of records) {
    for (const field of Object.keys(record)) fields.add(field)
    if (fields.size * records.length > MAX_CELLS)
      throw new HttpProblem(
        400,
        `${records.length} records with ${fields.size} different fields or more make a table of over ${MAX_CELLS} cells: post fewer at once`,
      )
  }
}
