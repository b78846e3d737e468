import { randomUUID } from 'node:crypto'
import rateLimit from '@fastify/rate-limit'
import { fastifySSE } from '@fastify/sse'
import swagger from '@fastify/swagger'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  LogController,
} from 'fastify'
import { validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import type { ApiDeps } from './deps.ts'
import { guard } from './guard.ts'
import { LiveWatch } from './live-watch.ts'
import { openApi } from './openapi.ts'
import { watchMethods } from './other-methods.ts'
import { Pipelines } from './pipelines.ts'
import { HttpProblem, sendProblem } from './problem.ts'
import { refuseOnSocket } from './refuse-on-socket.ts'
import { eventRoutes } from './routes/events.ts'
import { healthRoutes } from './routes/health.ts'
import { jobRoutes } from './routes/jobs.ts'
import { modelRoutes } from './routes/models.ts'
import { pageRoutes } from './routes/page.ts'
import { pipelineRoutes } from './routes/pipelines.ts'
import { scoreRoutes } from './routes/scores.ts'
import { scoringRoutes } from './routes/scoring.ts'
import { Tokens } from './tokens.ts'

/**
 * The HTTP API and the page, ready to listen: `await api.listen({ host, port })` with the options it was made from.
 * Throws CONFIG_INVALID where it would listen beyond this machine and no token is set.
 */
export async function createApi(deps: ApiDeps): Promise<FastifyInstance> {
  const { options } = deps
  const tokens = new Tokens(options)
  const app = Fastify({
    bodyLimit: options.body_limit,
    loggerInstance: deps.logger as FastifyBaseLogger | undefined,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    forceCloseConnections: true,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    routerOptions: { maxParamLength: 2048 },
    clientErrorHandler: refuseOnSocket,
    frameworkErrors: (error, request, reply) => void sendProblem(request, reply, error),
  }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  app.setErrorHandler((error, request, reply) => sendProblem(request, reply, error))
  guard(app, tokens, options)
  const refuseOtherMethods = watchMethods(app)
  await app.register(rateLimit, {
    max: options.rate_limit,
    timeWindow: '1 minute',
    allowList: (request) => request.routeOptions.config.role === 'none',
    errorResponseBuilder: (_request, { after, max }) =>
      new HttpProblem(429, `more than ${max} requests a minute: try again in ${after}`),
  })
  await app.register(fastifySSE, { heartbeatInterval: 15_000 })
  await app.register(swagger, openApi(tokens.required))
  await app.register(
    async (scope) => {
      const pipelines = new Pipelines(deps)
      const watch = new LiveWatch(deps, pipelines)
      scope.addHook('onResponse', async ({ method }) => {
        if (method !== 'GET') void watch.look()
      })
      const routes = scope.withTypeProvider<ZodTypeProvider>()
      pipelineRoutes(routes, deps, pipelines)
      scoreRoutes(routes, deps, pipelines)
      scoringRoutes(routes, deps)
      modelRoutes(routes, deps)
      jobRoutes(routes, deps, pipelines)
      eventRoutes(routes, watch, options)
      routes.get('/openapi.json', { config: { role: 'none' }, schema: { hide: true } }, () => app.swagger())
    },
    { prefix: '/api/v1' },
  )
  healthRoutes(app, deps)
  if (deps.page !== undefined) pageRoutes(app, deps.page, notFound)
  else app.setNotFoundHandler(notFound)
  refuseOtherMethods()
  await app.ready()
  return app as unknown as FastifyInstance
}

function notFound({ method, url }: FastifyRequest): never {
  throw new HttpProblem(404, `there is no ${method} ${url.split('?')[0].slice(0, 200)}`)
}
