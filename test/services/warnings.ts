import type { Logger } from '../../src/core/telemetry.ts'

interface Kept {
  readonly message: string | undefined
}

/** A logger that keeps what is worth a warning. */
export function keptWarnings(): { readonly logger: Logger; readonly warnings: Kept[] } {
  const warnings: Kept[] = []
  const keep = (fields: object, message?: string) => {
    warnings.push({ message, ...fields })
  }
  const logger: Logger = { debug() {}, info() {}, warn: keep, error: keep, child: () => logger }
  return { logger, warnings }
}
