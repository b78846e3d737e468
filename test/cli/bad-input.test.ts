import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Float64,
  Int32,
  RecordBatchStreamWriter,
  Table,
  tableFromArrays,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeArrow } from '../connectors/arrow/write-arrow.ts'
import { IS_ROOT, parseLines, surprisal, writePayments } from './surprisal.ts'

/** Rights do not bind root, but the kernel's own files do. */
const UNREADABLE_TO_ROOT = '/proc/sys/vm/drop_caches'
const UNWRITABLE_TO_ROOT = '/sys/kernel'

let folder: string
let model: string
const file = (name: string) => join(folder, name)
const put = (name: string, content: string | Uint8Array) => {
  writeFileSync(file(name), content)
  return file(name)
}
const fitting = (data: string, ...options: string[]) =>
  surprisal(['fit', data, '--model', file('never.safetensors'), ...options])
const scoring = (data: string, ...options: string[]) =>
  surprisal(['score', data, '--model', model, '--out', '-', '--workers', '0', ...options])
const payments = (...rows: string[]) => ['amount,count,city', ...rows, ''].join('\n')

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'surprisal-cli-'))
  chmodSync(folder, 0o755)
  model = file('payments.safetensors')
  writePayments(file('payments.csv'))
  const { code, stderr } = await surprisal(['fit', file('payments.csv'), '--model', model])
  expect(stderr.includes('surprisal:'), stderr).toBe(false)
  expect(code).toBe(0)
}, 400_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A refusal: exit code, one message, no model. */
function expectRefusal(
  { code, stdout, stderr }: Awaited<ReturnType<typeof surprisal>>,
  errorCode: string,
  message: RegExp,
  exitCode = 1,
): void {
  expect(stderr).toMatch(message)
  expect(stderr).toContain(`surprisal: ${errorCode}: `)
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(stdout).toBe('')
  expect(code).toBe(exitCode)
  expect(readdirSync(folder).filter((name) => name.startsWith('never') || name.startsWith('.'))).toEqual([])
}

describe('files that cannot be read', () => {
  it.each([
    ['no such file', 'nowhere.arrow', undefined, 'FILE_NOT_FOUND', /nowhere\.arrow: no such file/],
    ['an empty file', 'empty.arrow', '', 'FILE_EMPTY', /empty\.arrow is empty/],
    [
      'not Arrow at all',
      'text.arrow',
      'hello, world\n',
      'FILE_FORMAT',
      /text\.arrow is no Arrow file: it begins with "hello/,
    ],
    [
      'not Parquet at all',
      'text.parquet',
      'hello, world\n',
      'FILE_FORMAT',
      /text\.parquet is no Parquet file/,
    ],
    ['doubled CSV columns', 'doubled.csv', 'a,b,a\n1,2,3\n', 'SCHEMA_MISMATCH', /two columns named "a"/],
  ])('%s', async (_, name, content, code, message) => {
    if (content !== undefined) put(name, content)
    expectRefusal(await fitting(file(name)), code, message)
    expectRefusal(await scoring(file(name)), code, message)
  })

  it('a truncated Arrow file', async () => {
    await writeArrow(file('whole.arrow'), [{ amount: 1, count: 2, city: 'Bern' }])
    const bytes = readFileSync(file('whole.arrow'))
    put('cut.arrow', bytes.subarray(0, bytes.length - 20))
    expectRefusal(await scoring(file('cut.arrow')), 'FILE_FORMAT', /cut\.arrow is a truncated Arrow file/)
  })

  it('a file that changes its schema midway', async () => {
    const part = (table: Table) => new RecordBatchStreamWriter().writeAll(table).finish().toUint8Array()
    const first = await part(tableFromArrays({ a: Float64Array.of(1, 2) }))
    const second = await part(tableFromArrays({ a: Int32Array.of(1, 2) }))
    put('midway.arrows', Buffer.concat([(await first).subarray(0, -8), await second]))
    expectRefusal(await fitting(file('midway.arrows')), 'SCHEMA_MISMATCH', /changes its schema midway/)
  })

  it('doubled Arrow columns', async () => {
    const { Field, RecordBatch, Schema, Struct, makeData } = await import('apache-arrow')
    const data = makeData({ type: new Float64(), length: 1, data: Float64Array.of(1) })
    const schema = new Schema([new Field('a', new Float64()), new Field('a', new Float64())])
    const struct = makeData({ type: new Struct(schema.fields), length: 1, children: [data, data] })
    await writeArrow(file('doubled.arrow'), new Table([new RecordBatch(schema, struct)]))
    expectRefusal(await fitting(file('doubled.arrow')), 'SCHEMA_MISMATCH', /two columns named "a"/)
  })

  it('a folder, and a file without read permission', async () => {
    mkdirSync(file('folder.arrow'))
    expectRefusal(await fitting(file('folder.arrow')), 'FILE_UNREADABLE', /folder\.arrow is a folder/)
    const secret = IS_ROOT ? UNREADABLE_TO_ROOT : put('secret.csv', 'a\n1\n')
    if (!IS_ROOT) chmodSync(secret, 0)
    expectRefusal(await fitting(secret), 'FILE_UNREADABLE', /: no permission to read/)
  })
})

describe('data that is not what the model learned', () => {
  it('a missing or renamed column', async () => {
    put('renamed.csv', 'amuont,count,city\n1,2,Bern\n')
    expectRefusal(
      await scoring(file('renamed.csv')),
      'SCHEMA_MISMATCH',
      /renamed\.csv has no column "amount" \(did you mean "amuont"\?\); it has: amuont, count, city/,
    )
  })

  it('a column of another type', async () => {
    await writeArrow(
      file('typed.arrow'),
      new Table({
        amount: vectorFromArray(['one', 'two'], new Utf8()),
        count: vectorFromArray([1, 2], new Int32()),
        city: vectorFromArray(['Bern', 'Genf'], new Utf8()),
      }),
    )
    expectRefusal(
      await scoring(file('typed.arrow')),
      'SCHEMA_MISMATCH',
      /column "amount" holds text \(Utf8\) and the model learned numbers/,
    )
  })

  it('cells that no model can score come out unscored or flagged, with the reason, never normal', async () => {
    const rows = [
      'NaN,3,Bern',
      'Infinity,3,Bern',
      '-Infinity,3,Bern',
      'abc,3,Bern',
      '1e308,3,Bern',
      ',,',
      '-1e308,3,Bern',
    ]
    const ordinary = Array.from({ length: 100 }, (_, i) => `${15 + i / 20},3,Bern`)
    const { code, stdout, stderr } = await scoring(put('cells.csv', payments(...rows, ...ordinary)))
    expect(code, stderr).toBe(0)
    const records = parseLines(stdout)
    expect(records).toHaveLength(rows.length + ordinary.length)
    records.slice(0, rows.length).forEach((record, i) => {
      expect(record.verdict, `${rows[i]}: ${JSON.stringify(record)}`).not.toBe('normal')
      if (record.verdict === 'unscored') expect(record.reasons, rows[i]).not.toEqual([])
      expect(record.score === null || Number.isFinite(record.score), rows[i]).toBe(true)
    })
    expect(records[3]).toMatchObject({ verdict: 'unscored', reasons: [expect.stringContaining('abc')] })
    expect(records.slice(rows.length).filter(({ verdict }) => verdict === 'unscored')).toEqual([])
    expect(stderr).toMatch(/records are unscored; the column "reasons" says why/)
  })

  it('lines that cannot be read come out unscored, with the reason', async () => {
    const lines = ['{"amount": 15, "count": 3, "city": "Bern"}', '{"amount": 15,', '[1]', '']
    const { code, stdout } = await scoring(put('broken.ndjson', lines.join('\n')))
    expect(code).toBe(0)
    expect(parseLines(stdout).map(({ verdict }) => verdict)).toEqual(['normal', 'unscored', 'unscored'])
  })
})

describe('too little to learn from', () => {
  it.each([
    ['no record', payments(), /0 records/],
    ['one record', payments('1.5,2,Bern'), /1 records? to learn from/],
    [
      'fewer records than parameters need',
      payments(...Array.from({ length: 12 }, (_, i) => `${i + 0.5},${i},Bern`)),
      /12 records to learn from, at least 20/,
    ],
    [
      'one distinct value',
      payments(...Array.from({ length: 50 }, () => '1.5,2,Bern')),
      /no column has a density to learn/,
    ],
    [
      'all rows null',
      payments(...Array.from({ length: 50 }, () => ',,')),
      /no column has a density to learn|records/,
    ],
  ])('%s', async (_, content, message) => {
    expectRefusal(await fitting(put('few.csv', content)), 'DATA_INSUFFICIENT', message)
  })

  it('a category of 100,000 levels is learned from, and a new level is scored', async () => {
    const cities = Array.from(
      { length: 100_000 },
      (_, i) => `${(15 + (i % 97) / 20).toFixed(2)},${i % 20},c${i}`,
    )
    put('levels.csv', payments(...cities))
    const many = file('levels.safetensors')
    const fitted = await surprisal(['fit', file('levels.csv'), '--max-rows', '500', '--model', many])
    expect(fitted.code, fitted.stderr).toBe(0)
    const args = ['score', put('level.csv', payments('15.5,3,new')), '--model', many, '--out', '-']
    const scored = await surprisal(args)
    expect(scored.code, scored.stderr).toBe(0)
    expect(parseLines(scored.stdout)).toHaveLength(1)
  })
})

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
    put('changed.safetensors', change(readFileSync(model)))
    const args = ['score', file('payments.csv'), '--model', file('changed.safetensors'), '--out', '-']
    expectRefusal(await surprisal(args), code, message)
  })

  it('none', async () => {
    const args = ['score', file('payments.csv'), '--model', file('no.safetensors'), '--out', '-']
    expectRefusal(await surprisal(args), 'FILE_NOT_FOUND', /no\.safetensors/)
  })
})

describe('outputs', () => {
  const out = (...path: string[]) => [
    'score',
    file('payments.csv'),
    '--model',
    model,
    '--workers',
    '0',
    '--out',
    join(...path),
  ]

  it.each(['arrow', 'csv', 'ndjson'])('a full disk (%s)', async (format) => {
    const args = [...out('/dev/full'), '--format', format]
    expectRefusal(await surprisal(args), 'DISK_FULL', /\/dev\/full: the disk is full \(ENOSPC\)/)
  })

  it('a full disk, for a model', async () => {
    const args = ['calibrate', '--model', model, '--rate', '0.01', '--out', '/dev/full']
    expectRefusal(await surprisal(args), 'DISK_FULL', /the disk is full/)
  })

  it('no folder, a folder in the way, an unknown format', async () => {
    expectRefusal(
      await surprisal(out(folder, 'no', 'x.arrow')),
      'FILE_NOT_FOUND',
      /the folder does not exist/,
    )
    mkdirSync(file('taken.arrow'))
    expectRefusal(await surprisal(out(folder, 'taken.arrow')), 'FILE_UNREADABLE', /is a folder/)
    expectRefusal(await surprisal(out(folder, 'x.xls')), 'USAGE', /says no output format/, 2)
  })

  it('no write permission', async () => {
    mkdirSync(file('locked'), { mode: 0o555 })
    const locked = IS_ROOT ? UNWRITABLE_TO_ROOT : file('locked')
    expectRefusal(await surprisal(out(locked, 'x.arrow')), 'FILE_UNREADABLE', /no permission to write/)
  })

  it('an interruption in the middle leaves nothing behind', async () => {
    mkdirSync(file('quiet'))
    const args = ['score', '-', '--model', model, '--workers', '0', '--out', join(folder, 'quiet', 'x.arrow')]
    const { code, stderr } = await surprisal(args, {
      during(child) {
        child.stdin?.write(`{"amount": 15, "count": 3, "city": "Bern"}\n`.repeat(30_000))
        // The temporary file is there: the output is under way.
        const timer = setInterval(() => {
          if (readdirSync(file('quiet')).length === 0) return
          clearInterval(timer)
          child.kill('SIGINT')
        }, 20)
      },
    })
    expect(code).toBe(130)
    expect(stderr).toContain('interrupted; no unfinished output was left behind')
    expect(readdirSync(file('quiet'))).toEqual([])
  })

  it('an interrupted fit writes no model', async () => {
    mkdirSync(file('unfit'))
    // So many that the fit is still under way, so late that the command listens for signals.
    writePayments(file('many.csv'), 60_000)
    const args = ['fit', file('many.csv'), '--model', join(folder, 'unfit', 'm.safetensors')]
    const { code } = await surprisal(args, {
      during: (child) => setTimeout(() => child.kill('SIGINT'), 4000),
    })
    expect(code).toBe(130)
    expect(readdirSync(file('unfit'))).toEqual([])
  })
})
