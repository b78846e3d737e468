import { type Command, CommanderError } from 'commander'
import { isSurprisalError, messageOf } from '../core/errors.ts'
import { interruption } from './interrupt.ts'

const OK = 0
const FAILURE = 1
const WRONG_USE = 2

/**
 * Runs a command line and returns its exit code: 0 ok, 1 failure, 2 wrong use (of the command line or the pipeline
 * file), 130 interrupted. Errors go to standard error, one line each; a reader that closes the pipe ends it quietly.
 */
export async function run(program: () => Command, argv: readonly string[]): Promise<number> {
  process.stdout.on('error', endQuietly)
  process.stderr.on('error', endQuietly)
  try {
    await program().parseAsync([...argv])
    return OK
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === OK ? OK : WRONG_USE
    if (interruption.signal.aborted) {
      process.stderr.write('surprisal: interrupted; no unfinished output was left behind\n')
      return interruption.exitCode
    }
    process.stderr.write(`${describe(error)}\n`)
    return isSurprisalError(error, 'USAGE') || isSurprisalError(error, 'CONFIG_INVALID') ? WRONG_USE : FAILURE
  }
}

function describe(error: unknown): string {
  if (isSurprisalError(error)) return `surprisal: ${error.code}: ${error.message}`
  const stack = error instanceof Error ? error.stack : undefined
  return `surprisal: INTERNAL: ${stack ?? messageOf(error)}`
}

function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(OK)
  throw error
}
