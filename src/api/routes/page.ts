import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { App } from '../app.ts'

interface Asset {
  readonly body: Buffer
  readonly gzip: Buffer
  readonly etag: string
  readonly type: string
  readonly cache: string
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}
/** The addresses of the page's views; the page itself reads the rest of the path. */
const VIEWS = ['/', '/pipelines/*', '/models', '/models/*', '/jobs', '/jobs/*']

/**
 * Serves the built page from memory: a handful of files, read once, so no path of a request meets the disk. A browser
 * at an address that is none gets the page too, which says so, with 404.
 */
export function pageRoutes(app: App, folder: string, notFound: (request: FastifyRequest) => never): void {
  if (!existsSync(join(folder, 'index.html'))) {
    app.setNotFoundHandler(notFound)
    return
  }
  const index = assetOf(folder, 'index.html')
  const schema = { hide: true }
  const config = { role: 'none' } as const
  for (const url of VIEWS) app.get(url, { config, schema }, (request, reply) => send(request, reply, index))
  app.setNotFoundHandler((request, reply) => {
    const asksForPage = request.method === 'GET' && request.headers.accept?.includes('text/html') === true
    if (!asksForPage || request.url.startsWith('/api/')) notFound(request)
    return send(request, reply.code(404), index)
  })
  for (const name of readdirSync(folder)) {
    if (name === 'index.html' || TYPES[extname(name)] === undefined) continue
    const asset = assetOf(folder, name)
    app.get(`/assets/${name}`, { config, schema }, (request, reply) => send(request, reply, asset))
  }
}

function assetOf(folder: string, name: string): Asset {
  const body = readFileSync(join(folder, name))
  const hashed = /-[A-Z0-9]{8}\./i.test(name)
  return {
    body,
    gzip: gzipSync(body, { level: 9 }),
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
    type: TYPES[extname(name)],
    cache: hashed ? 'public, max-age=31536000, immutable' : 'no-cache',
  }
}

function send(request: FastifyRequest, reply: FastifyReply, asset: Asset): FastifyReply {
  reply.headers({ etag: asset.etag, 'cache-control': asset.cache, vary: 'accept-encoding' })
  if (request.headers['if-none-match'] === asset.etag) return reply.code(304).send()
  reply.type(asset.type)
  if (!/\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))) return reply.send(asset.body)
  return reply.header('content-encoding', 'gzip').send(asset.gzip)
}
