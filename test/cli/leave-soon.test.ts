import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const LINGERING = fileURLToPath(new URL('fixtures/lingering.mjs', import.meta.url))

it('ends a process that something left open would keep, with its exit code and all of its output', async () => {
  const { code, length } = await new Promise<{ code: unknown; length: number }>((resolve) => {
    execFile(process.execPath, [LINGERING], { maxBuffer: 2_000_000, timeout: 20_000 }, (error, stdout) =>
      resolve({ code: error?.code, length: stdout.length }),
    )
  })
  expect({ code, length }).toEqual({ code: 7, length: 1_000_001 })
})
