import { messageOf, SurprisalError } from '../../src/core/errors.ts'
import type { Alert, AlertChannel } from '../../src/core/ports.ts'
import type { WebhookOptions } from './options.ts'

/**
 * Posts alerts as JSON, or as Alertmanager's API v2 takes them. SINK_FAILED, retryable, where the receiver does not
 * answer or is overloaded (429, 5xx); not retryable where it refuses what is sent.
 */
export class WebhookChannel implements AlertChannel {
  readonly name: string
  private readonly options: WebhookOptions

  constructor(options: WebhookOptions) {
    this.options = options
    this.name = `webhook ${new URL(options.url).host}`
  }

  async send(alerts: readonly Alert[]): Promise<void> {
    const { url, format, token, headers, timeout_ms: timeout } = this.options
    let response: Response
    try {
      response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...headers,
        },
        body: JSON.stringify(format === 'alertmanager' ? alerts.map(alertmanagerAlert) : alerts),
        redirect: 'error',
        signal: AbortSignal.timeout(timeout),
      })
    } catch (cause) {
      throw new SurprisalError('SINK_FAILED', `${this.name} does not answer: ${messageOf(cause)}`, { cause })
    }
    await response.body?.cancel()
    if (response.ok) return
    const retryable = response.status === 429 || response.status >= 500
    throw new SurprisalError('SINK_FAILED', `${this.name} answered ${response.status}`, { retryable })
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Alertmanager keeps an alert firing while it is sent again and again, and groups by labels: no counts in those. */
function alertmanagerAlert(alert: Alert): object {
  const { id, pipeline, kind, severity, entity, summary, started_at, ended_at, ...details } = alert
  return {
    labels: {
      alertname: `surprisal_${kind}`,
      pipeline,
      severity,
      episode: id,
      ...(entity !== null && { entity }),
    },
    annotations: { summary, details: JSON.stringify(details) },
    startsAt: started_at,
    ...(ended_at !== null && { endsAt: ended_at }),
  }
}
