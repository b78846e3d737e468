import { z } from 'zod'
import { championBefore } from '../../core/alias-history.ts'
import { SurprisalError } from '../../core/errors.ts'
import type { ModelVersion } from '../../core/ports.ts'
import { aliasChange, listOf, modelDiff, modelVersion } from '../answers.ts'
import { type App, answers } from '../app.ts'
import { diffQuery, modelPath, promoteBody, rollbackBody } from '../asked.ts'
import type { ApiDeps } from '../deps.ts'
import { HttpProblem } from '../problem.ts'
import { summaryDiff } from '../summary-diff.ts'

export function modelRoutes(app: App, { registry }: ApiDeps): void {
  app.get(
    '/models',
    { schema: { summary: 'The names of all models', response: answers(listOf(z.string())) } },
    async () => ({ items: await registry.models() }),
  )

  app.get(
    '/models/:model',
    {
      schema: {
        summary: 'The versions of a model, newest first',
        params: modelPath,
        response: answers(listOf(modelVersion)),
      },
    },
    async ({ params }) => ({ items: await versionsOf(params.model) }),
  )

  app.get(
    '/models/:model/history',
    {
      schema: {
        summary: 'Who made which version champion or challenger, when and why, newest first',
        params: modelPath,
        response: answers(listOf(aliasChange)),
      },
    },
    async ({ params }) => {
      await versionsOf(params.model)
      const history = await registry.history(params.model)
      return { items: [...history].sort((a, b) => (a.at < b.at ? 1 : -1)) }
    },
  )

  app.get(
    '/models/:model/diff',
    {
      schema: {
        summary: 'What differs between two versions',
        params: modelPath,
        querystring: diffQuery,
        response: answers(modelDiff),
      },
    },
    async ({ params, query }) => {
      const versions = await versionsOf(params.model)
      const [from, to] = [query.from, query.to].map((version) => find(versions, params.model, version))
      return { ...query, changes: summaryDiff(from.summary, to.summary) }
    },
  )

  app.post(
    '/models/:model/promote',
    {
      config: { role: 'operate' },
      schema: {
        summary: 'Make a version the champion: every scorer takes it between two batches',
        params: modelPath,
        body: promoteBody,
        response: answers(modelVersion),
      },
    },
    async ({ params, body, caller }) => {
      find(await versionsOf(params.model), params.model, body.version)
      return promote(params.model, body.version, caller.name, body.reason)
    },
  )

  app.post(
    '/models/:model/rollback',
    {
      config: { role: 'operate' },
      schema: {
        summary: 'Make the champion before this one champion again',
        params: modelPath,
        body: rollbackBody,
        response: answers(modelVersion),
      },
    },
    async ({ params, body, caller }) => {
      const versions = await versionsOf(params.model)
      const previous = championBefore(await registry.history(params.model), versions)
      if (previous === undefined)
        throw new HttpProblem(409, `model "${params.model}" has no champion before this one to go back to`)
      return promote(params.model, previous, caller.name, body.reason)
    },
  )

  async function versionsOf(model: string): Promise<ModelVersion[]> {
    const versions = await registry.list(model)
    if (versions.length === 0)
      throw new SurprisalError('MODEL_NOT_FOUND', `the registry holds no version of "${model}"`)
    return [...versions].sort((a, b) => b.version - a.version)
  }

  async function promote(model: string, version: number, who: string, why: string): Promise<ModelVersion> {
    await registry.setAlias(model, 'champion', version, who, why)
    return find(await versionsOf(model), model, version)
  }
}

function find(versions: readonly ModelVersion[], model: string, version: number): ModelVersion {
  const found = versions.find((candidate) => candidate.version === version)
  if (found !== undefined) return found
  throw new SurprisalError('MODEL_NOT_FOUND', `model "${model}" has no version ${version}`)
}
