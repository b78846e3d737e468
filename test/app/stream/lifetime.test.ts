import { once } from 'node:events'
import { expect, it } from 'vitest'
import { Lifetime } from '../../../src/app/stream/lifetime.ts'
import { SILENT } from '../../../src/core/telemetry.ts'

it('stops its tasks, waits for them, then closes its parts, the newest first', async () => {
  const order: string[] = []
  const part = (name: string) => ({
    async [Symbol.asyncDispose]() {
      order.push(name)
    },
  })
  {
    await using life = new Lifetime(new AbortController().signal, SILENT)
    life.keep(part('first'))
    life.await(once(life.stop, 'abort').then(() => void order.push('task')))
    life.keep(part('second'))
  }
  expect(order).toEqual(['task', 'second', 'first'])
})

it('closes the others where one part or a task fails, and says so', async () => {
  const warnings: unknown[] = []
  const closed: string[] = []
  const life = new Lifetime(new AbortController().signal, {
    ...SILENT,
    warn: (fields) => void warnings.push(fields),
  })
  life.keep({
    async [Symbol.asyncDispose]() {
      closed.push('other')
    },
  })
  life.keep({
    async [Symbol.asyncDispose]() {
      throw new Error('the socket is gone')
    },
  })
  life.await(Promise.reject(new Error('a task fails')))
  await life[Symbol.asyncDispose]()
  expect(closed).toEqual(['other'])
  expect(warnings).toEqual([{ error: 'the socket is gone' }])
})

it('stops with the signal it was given', () => {
  const given = new AbortController()
  const life = new Lifetime(given.signal, SILENT)
  expect(life.stop.aborted).toBe(false)
  given.abort()
  expect(life.stop.aborted).toBe(true)
})
