import type { Logger } from '../core/telemetry.ts'

/** What a command that answers once has to say beside its answer: JSON lines on stderr, from warnings on. */
export async function warnings(): Promise<Logger> {
  const { pino } = await import('pino')
  const logger: Logger = pino({ level: 'warn', base: null }, pino.destination(2))
  return logger
}
