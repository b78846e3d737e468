import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isSurprisalError, SurprisalError, throwIfAborted } from '../../src/core/errors.ts'
import { errorsMarkdown } from '../../src/core/errors-markdown.ts'
import { packageRoot } from '../../src/core/package-root.ts'

describe('the table of codes', () => {
  it('is docs/errors.md', () => {
    const file = readFileSync(join(packageRoot, 'docs', 'errors.md'), 'utf8')
    expect(file, 'run: npm run build && node scripts/write-errors-doc.mjs').toBe(errorsMarkdown())
  })
})

describe('SurprisalError', () => {
  it('carries code, cause and whether a retry may help', () => {
    const cause = new Error('below')
    const error = new SurprisalError('DISK_FULL', 'no room', { cause })
    expect(error).toMatchObject({ code: 'DISK_FULL', retryable: true, cause, message: 'no room' })
    expect(new SurprisalError('DISK_FULL', 'no room', { retryable: false }).retryable).toBe(false)
    expect(isSurprisalError(error, 'DISK_FULL')).toBe(true)
    expect(isSurprisalError(error, 'USAGE')).toBe(false)
    expect(isSurprisalError(cause)).toBe(false)
  })
})

describe('throwIfAborted', () => {
  it('throws ABORTED with the reason once the signal has fired', () => {
    const controller = new AbortController()
    throwIfAborted(controller.signal)
    throwIfAborted(undefined)
    controller.abort('enough')
    expect(() => throwIfAborted(controller.signal)).toThrow(
      expect.objectContaining({ code: 'ABORTED', cause: 'enough' }),
    )
  })
})
