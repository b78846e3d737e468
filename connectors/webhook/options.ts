import { z } from 'zod'

/** `sinks: [{ type: webhook, … }]`: alerts, not records. */
export const webhookOptions = z.strictObject({
  type: z.literal('webhook'),
  url: z.url({ protocol: /^https?$/ }).describe('Where alerts are posted; Alertmanager: …/api/v2/alerts.'),
  format: z.enum(['json', 'alertmanager']).default('json').describe('json: an array of alerts.'),
  token: z.string().min(1).optional().describe('Sent as a bearer token.'),
  headers: z.record(z.string().min(1), z.string()).default({}).describe('Further headers.'),
  timeout_ms: z.int().positive().default(10_000).describe('A post that takes longer has failed.'),
  queue: z.int().positive().default(1000).describe('Alerts that may wait while the receiver is down.'),
})
export type WebhookOptions = z.output<typeof webhookOptions>
