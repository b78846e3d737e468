import type { PipelineConfig } from '../../../config/pipeline.ts'
import type { ApiDeps } from '../../api/deps.ts'

/** Serves the API on the address of `api.listen`; resolves with the URL once it answers. */
export async function openHttp(
  options: NonNullable<PipelineConfig['api']>,
  deps: Omit<ApiDeps, 'options'>,
): Promise<AsyncDisposable & { readonly url: string }> {
  const { createApi } = await import('../../api/create-api.ts')
  const { ThreadedArrow } = await import('./arrow-bodies.ts')
  const { apiOptions } = await import('../../api/options.ts')
  const colon = options.listen.lastIndexOf(':')
  const host = options.listen.slice(0, colon).replace(/^\[|\]$/g, '')
  const port = Number(options.listen.slice(colon + 1))
  const { cors, tokens_file } = options
  const parsed = apiOptions.parse({ host, port, cors_origins: cors, ...(tokens_file && { tokens_file }) })
  const arrow = new ThreadedArrow()
  const api = await createApi({ ...deps, arrow, options: parsed })
  const url = await api.listen({ host, port })
  await deps.store.announce?.(url)
  return {
    url,
    async [Symbol.asyncDispose]() {
      await api.close()
      await arrow[Symbol.asyncDispose]()
    },
  }
}
