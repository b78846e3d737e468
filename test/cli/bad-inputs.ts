import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type Finished, surprisal, writePayments } from './surprisal.ts'

/** Rows of payments.csv. */
export const payments = (...rows: string[]) => ['amount,count,city', ...rows, ''].join('\n')

/** A folder of broken inputs beside payments.csv and, where asked for, a model of it. */
export class BadInputs implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'surprisal-cli-'))
  readonly model = this.file('payments.safetensors')

  constructor() {
    chmodSync(this.folder, 0o755)
    // At an alert rate of 0.001 a calibration needs some hundreds of records to be sure of what was never seen.
    writePayments(this.file('payments.csv'), 3000)
  }

  async fitModel(): Promise<void> {
    const args = ['fit', this.file('payments.csv'), '--model', this.model, '--effort', '0.1']
    const { code, stderr } = await surprisal(args)
    expect(stderr.includes('surprisal:'), stderr).toBe(false)
    expect(code).toBe(0)
  }

  file(name: string): string {
    return join(this.folder, name)
  }

  put(name: string, content: string | Uint8Array): string {
    writeFileSync(this.file(name), content)
    return this.file(name)
  }

  fitting(data: string): Promise<Finished> {
    return surprisal(['fit', data, '--model', this.file('never.safetensors')])
  }

  scoring(data: string): Promise<Finished> {
    return surprisal(['score', data, '--model', this.model, '--out', '-', '--workers', '0'])
  }

  /** A refusal: exit code, one message, no model. */
  expectRefusal({ code, stdout, stderr }: Finished, errorCode: string, message: RegExp, exitCode = 1): void {
    expect(stderr).toMatch(message)
    expect(stderr).toContain(`surprisal: ${errorCode}: `)
    expect(stderr).not.toMatch(/^\s+at /m)
    expect(stdout).toBe('')
    expect(code).toBe(exitCode)
    const left = readdirSync(this.folder).filter((name) => name.startsWith('never') || name.startsWith('.'))
    expect(left).toEqual([])
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
