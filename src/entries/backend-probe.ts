import { messageOf } from '../core/errors.ts'
import { type EngineName, startEngine } from '../train/engines.ts'
import type { Probed } from '../train/probe.ts'

/** Child process: starts the engine named on the command line and reports to its parent. */
const name = process.argv[2] as EngineName
const probed: Probed = await startEngine(name).then(
  (started) => ({ started }),
  (error: unknown) => ({ reason: messageOf(error) }),
)
process.send?.(probed)
