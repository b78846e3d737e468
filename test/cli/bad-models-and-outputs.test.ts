import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BadInputs } from './bad-inputs.ts'
import { IS_ROOT, surprisal, writePayments } from './surprisal.ts'

/** Rights do not bind root, but the kernel's own files do. */
const UNWRITABLE_TO_ROOT = '/sys/kernel'

const inputs = new BadInputs()
beforeAll(() => inputs.fitModel(), 400_000)
afterAll(() => inputs[Symbol.dispose]())

describe('model files', () => {
  it.each([
    [
      'a damaged one',
      (bytes: Buffer) => Buffer.from(bytes.map((byte, i) => (i === bytes.length - 9 ? byte ^ 0xff : byte))),
      'MODEL_INVALID',
      /checksum/,
    ],
    ['a cut one', (bytes: Buffer) => bytes.subarray(0, 1000), 'MODEL_INVALID', /./],
    ['a foreign one', () => Buffer.from('PK\x03\x04 something else entirely'), 'MODEL_INVALID', /./],
    ['an empty one', () => Buffer.alloc(0), 'MODEL_INVALID', /./],
    [
      'one of a newer format',
      (bytes: Buffer) =>
        Buffer.from(bytes.toString('latin1').replace('"version":"1"', '"version":"9"'), 'latin1'),
      'MODEL_VERSION_UNSUPPORTED',
      /9/,
    ],
  ])('%s', async (_, change, code, message) => {
    inputs.put('changed.safetensors', change(readFileSync(inputs.model)))
    const args = [
      'score',
      inputs.file('payments.csv'),
      '--model',
      inputs.file('changed.safetensors'),
      '--out',
      '-',
    ]
    inputs.expectRefusal(await surprisal(args), code, message)
  })

  it('none', async () => {
    const args = [
      'score',
      inputs.file('payments.csv'),
      '--model',
      inputs.file('no.safetensors'),
      '--out',
      '-',
    ]
    inputs.expectRefusal(await surprisal(args), 'FILE_NOT_FOUND', /no\.safetensors/)
  })
})

describe('outputs', () => {
  const out = (...path: string[]) => [
    'score',
    inputs.file('payments.csv'),
    '--model',
    inputs.model,
    '--workers',
    '0',
    '--out',
    join(...path),
  ]

  it.each(['arrow', 'csv', 'ndjson'])('a full disk (%s)', async (format) => {
    const args = [...out('/dev/full'), '--format', format]
    inputs.expectRefusal(await surprisal(args), 'DISK_FULL', /\/dev\/full: the disk is full \(ENOSPC\)/)
  })

  it('a full disk, for a model', async () => {
    const args = ['calibrate', '--model', inputs.model, '--rate', '0.01', '--out', '/dev/full']
    inputs.expectRefusal(await surprisal(args), 'DISK_FULL', /the disk is full/)
  })

  it('no folder, a folder in the way, an unknown format', async () => {
    inputs.expectRefusal(
      await surprisal(out(inputs.folder, 'no', 'x.arrow')),
      'FILE_NOT_FOUND',
      /the folder does not exist/,
    )
    mkdirSync(inputs.file('taken.arrow'))
    inputs.expectRefusal(await surprisal(out(inputs.folder, 'taken.arrow')), 'FILE_UNREADABLE', /is a folder/)
    inputs.expectRefusal(await surprisal(out(inputs.folder, 'x.xls')), 'USAGE', /says no output format/, 2)
  })

  it('no write permission', async () => {
    mkdirSync(inputs.file('locked'), { mode: 0o555 })
    const locked = IS_ROOT ? UNWRITABLE_TO_ROOT : inputs.file('locked')
    inputs.expectRefusal(await surprisal(out(locked, 'x.arrow')), 'FILE_UNREADABLE', /no permission to write/)
  })

  it('an interruption in the middle leaves nothing behind', async () => {
    mkdirSync(inputs.file('quiet'))
    const args = [
      'score',
      '-',
      '--model',
      inputs.model,
      '--workers',
      '0',
      '--out',
      join(inputs.folder, 'quiet', 'x.arrow'),
    ]
    const { code, stderr } = await surprisal(args, {
      during(child) {
        child.stdin?.write(`{"amount": 15, "count": 3, "city": "Bern"}\n`.repeat(30_000))
        // The temporary file is there: the output is under way.
        const timer = setInterval(() => {
          if (readdirSync(inputs.file('quiet')).length === 0) return
          clearInterval(timer)
          child.kill('SIGINT')
        }, 20)
      },
    })
    expect(code).toBe(130)
    expect(stderr).toContain('interrupted; no unfinished output was left behind')
    expect(readdirSync(inputs.file('quiet'))).toEqual([])
  })

  it('an interrupted fit writes no model', async () => {
    mkdirSync(inputs.file('unfit'))
    // So many that the fit is still under way when it tells of its progress for the first time.
    writePayments(inputs.file('many.csv'), 60_000)
    const args = ['fit', inputs.file('many.csv'), '--model', join(inputs.folder, 'unfit', 'm.safetensors')]
    const { code } = await surprisal(args, {
      during: (child) => child.stderr?.once('data', () => child.kill('SIGINT')),
    })
    expect(code).toBe(130)
    expect(readdirSync(inputs.file('unfit'))).toEqual([])
  })
})
