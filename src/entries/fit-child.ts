import { isSurprisalError, messageOf } from '../core/errors.ts'
import type { RecordBatch } from '../core/record.ts'
import type { Logger } from '../core/telemetry.ts'
import { fitDetector } from '../detect/fit/fit-detector.ts'
import type { FromChild, ToChild } from '../retrain/fit-process.ts'

/** The training process of src/retrain/fit-process.ts: takes batches, fits, sends the model file back. */
const batches: RecordBatch[] = []
const send = (message: FromChild): void => {
  // A trainer that was killed hears nothing more: its job goes to another.
  process.send?.(message, undefined, undefined, (error) => error && process.exit())
}
const line = (_fields: object, message = ''): void => send({ type: 'log', line: message })
const logger: Logger = { debug: () => {}, info: line, warn: line, error: line, child: () => logger }

process.on('message', async (message: ToChild) => {
  if (message.type === 'batch') {
    batches.push(message.batch)
    return
  }
  const last = (outcome: FromChild): void => {
    process.send?.(outcome, () => process.disconnect())
  }
  try {
    const { artifact } = await fitDetector(batches, {
      ...message.settings,
      logger,
      checkpoints: {
        resume: message.checkpoints,
        save: (checkpoint) => send({ type: 'checkpoint', checkpoint }),
      },
      onProgress: (progress) => send({ type: 'progress', progress }),
    })
    last({ type: 'done', artifact })
  } catch (error) {
    const code = isSurprisalError(error) ? error.code : 'INTERNAL'
    last({ type: 'failed', code, message: messageOf(error) })
  }
})

process.on('disconnect', () => process.exit())
