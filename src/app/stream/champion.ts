import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../core/errors.ts'
import type { ModelRegistry, ModelVersion, Scorer } from '../../core/ports.ts'
import type { Logger } from '../../core/telemetry.ts'
import type { ScorerHandle } from '../../pipeline/scorer-handle.ts'

const RETRY_MS = 5_000

/**
 * Keeps the handle at the registry's champion until the signal fires. A version that cannot be loaded leaves the
 * one before in place and is logged; a registry that does not answer is asked again.
 */
export async function followChampion(
  registry: ModelRegistry,
  model: string,
  handle: ScorerHandle,
  load: (version: ModelVersion) => Promise<Scorer>,
  signal: AbortSignal,
  logger: Logger,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const version of registry.watch(model, signal)) {
        if (handle.current?.modelVersion === version.version) continue
        try {
          handle.swap(await load(version))
          logger.info({ model, version: version.version }, 'champion in place')
        } catch (error) {
          logger.error({ model, version: version.version, error: messageOf(error) }, 'champion refused')
        }
      }
    } catch (error) {
      logger.warn({ error: messageOf(error) }, 'the registry does not answer, asking again')
    }
    await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined)
  }
}
