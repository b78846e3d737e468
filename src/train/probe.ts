import { fork } from 'node:child_process'
import { messageOf } from '../core/errors.ts'
import { entryUrl } from '../core/package-root.ts'
import type { EngineName, StartedEngine } from './engines.ts'

export type Probed = { readonly started: StartedEngine } | { readonly reason: string }

/**
 * Starts an engine in a child process and says what came of it: a driver that hangs, crashes or prints takes nothing
 * with it.
 */
export async function probeEngine(name: EngineName, timeoutMs: number): Promise<Probed> {
  return new Promise((resolve) => {
    const child = fork(entryUrl('backend-probe'), [name], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    let complaint = ''
    const settle = (probed: Probed) => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      resolve(probed)
    }
    const timer = setTimeout(() => settle({ reason: `did not start within ${timeoutMs} ms` }), timeoutMs)
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-2000)
    })
    child.once('message', (message) => settle(message as Probed))
    child.once('error', (error) => settle({ reason: `the probe does not start: ${messageOf(error)}` }))
    child.once('exit', (code, signal) => {
      const last = complaint.trim().split('\n').at(-1)
      settle({ reason: `crashed (${signal ?? `exit ${code}`})${last ? `: ${last}` : ''}` })
    })
  })
}
