import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type ApiOptions, isLoopback, type Role } from './options.ts'
import { HttpProblem } from './problem.ts'
import type { Caller, Tokens } from './tokens.ts'

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller
  }
  interface FastifyContextConfig {
    /** What a caller must be allowed; `none` for what anybody may see. */
    role?: Role | 'none'
  }
}

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
}

/** Every answer carries the security headers; every route asks for a role, `read` unless it says otherwise. */
export function guard(app: FastifyInstance, tokens: Tokens, options: ApiOptions): void {
  app.decorateRequest('caller')
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(SECURITY_HEADERS)
    const { origin } = request.headers
    if (origin !== undefined && options.cors_origins.includes(origin)) {
      reply.headers({
        'access-control-allow-origin': origin,
        'access-control-allow-headers': 'authorization, content-type',
        'access-control-allow-methods': 'GET, POST, PUT, DELETE',
        'cross-origin-resource-policy': 'cross-origin',
        vary: 'origin',
      })
      if (request.method === 'OPTIONS') return reply.code(204).send()
    }
    const role = request.routeOptions.config.role ?? (request.is404 ? 'none' : 'read')
    if (role === 'none') return
    if (!tokens.required) refuseForeignPages(request, options)
    const caller = tokens.caller(request.headers.authorization)
    if (caller === undefined)
      throw new HttpProblem(401, 'this needs a token: send the header "Authorization: Bearer <token>"')
    if (role === 'operate' && caller.role !== 'operate')
      throw new HttpProblem(403, `"${caller.name}" may read; this needs a token with the role operate`)
    request.caller = caller
  })
}

/** A server without tokens trusts whoever reaches it, so a page of another site must not do so through a browser. */
function refuseForeignPages(
  request: FastifyRequest,
  { allowed_hosts, cors_origins, host }: ApiOptions,
): void {
  const asked = request.hostname.replace(/:\d+$/, '')
  if (!isLoopback(asked) && asked !== host && !allowed_hosts.includes(asked))
    throw new HttpProblem(421, `host "${asked.slice(0, 100)}" is not served: add it to api.allowed_hosts`)
  const site = request.headers['sec-fetch-site']
  const { origin } = request.headers
  if (site === 'cross-site' && !(origin !== undefined && cors_origins.includes(origin)))
    throw new HttpProblem(403, 'requests from pages of other sites are refused')
}
