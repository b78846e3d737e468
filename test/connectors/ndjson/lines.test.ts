import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lines } from '../../../connectors/ndjson/lines.ts'

async function collect(chunks: readonly Uint8Array[], maxBytes = 1000) {
  const all: { number: number; text: string; tooLong: boolean }[] = []
  for await (const some of lines(
    (async function* () {
      yield* chunks
    })(),
    maxBytes,
  ))
    for (const { number, bytes, tooLong } of some) all.push({ number, text: bytes.toString(), tooLong })
  return all
}

describe('lines', () => {
  it('is the same however the bytes are cut into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.stringMatching(/^[a-zé€]*$/), { minLength: 1 }),
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom('\n', '\r\n'),
        async (texts, size, end) => {
          const bytes = Buffer.from(texts.join(end) + end)
          const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
            bytes.subarray(i * size, (i + 1) * size),
          )
          expect((await collect(chunks)).map(({ text }) => text)).toEqual(texts)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('reads a last line without an end and numbers from 0', async () => {
    expect(await collect([Buffer.from('a\nb')])).toEqual([
      { number: 0, text: 'a', tooLong: false },
      { number: 1, text: 'b', tooLong: false },
    ])
  })

  it('does not keep a line that is too long', async () => {
    const chunks = [...Array.from({ length: 100 }, () => Buffer.alloc(100, 'x')), Buffer.from('\nok\n')]
    const [long, ok] = await collect(chunks)
    expect(long.tooLong).toBe(true)
    expect(long.text.length).toBeLessThan(1000)
    expect(ok).toEqual({ number: 1, text: 'ok', tooLong: false })
  })
})
