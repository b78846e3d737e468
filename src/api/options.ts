import { z } from 'zod'

const ROLE = z.enum(['read', 'operate'])
export type Role = z.infer<typeof ROLE>

export const apiToken = z.strictObject({
  role: ROLE.describe('read: look; operate: also start jobs, promote models, give feedback'),
  name: z.string().min(1).max(100).describe('who acts: written beside what was done'),
  token: z.string().min(16, 'at least 16 characters: try `openssl rand -hex 24`').max(512),
})
export type ApiToken = z.infer<typeof apiToken>

export const apiOptions = z.strictObject({
  host: z.string().default('127.0.0.1').describe('the address to listen on'),
  port: z.number().int().min(0).max(65535).default(8080).describe('0 takes a free one'),
  auth: z
    .enum(['auto', 'on', 'off'])
    .default('auto')
    .describe('auto: on when the host is not loopback, or when there are tokens'),
  tokens: z.array(apiToken).default([]).describe('who may do what'),
  tokens_file: z
    .string()
    .optional()
    .describe('more tokens: a line each, role:name:token; empty lines and those with # are skipped'),
  allowed_hosts: z
    .array(z.string())
    .default([])
    .describe('names under which a browser may reach a server without tokens, beside localhost'),
  cors_origins: z.array(z.url()).default([]).describe('pages of other origins that may ask; none by default'),
  body_limit: z
    .number()
    .int()
    .min(1024)
    .default(16 * 1024 * 1024)
    .describe('the longest request body, bytes'),
  rate_limit: z.number().int().min(1).default(1200).describe('requests a minute from one address'),
  event_clients: z.number().int().min(1).default(500).describe('live event streams at once'),
})
export type ApiOptions = z.infer<typeof apiOptions>

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}
