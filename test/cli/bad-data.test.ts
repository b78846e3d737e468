import { chmodSync, mkdirSync, readFileSync } from 'node:fs'
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
import { BadInputs, payments } from './bad-inputs.ts'
import { IS_ROOT, parseLines } from './surprisal.ts'

/** Rights do not bind root, but the kernel's own files do. */
const UNREADABLE_TO_ROOT = '/proc/sys/vm/drop_caches'

const inputs = new BadInputs()
beforeAll(() => inputs.fitModel(), 400_000)
afterAll(() => inputs[Symbol.dispose]())

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
    if (content !== undefined) inputs.put(name, content)
    inputs.expectRefusal(await inputs.fitting(inputs.file(name)), code, message)
    inputs.expectRefusal(await inputs.scoring(inputs.file(name)), code, message)
  })

  it('a truncated Arrow file', async () => {
    await writeArrow(inputs.file('whole.arrow'), [{ amount: 1, count: 2, city: 'Bern' }])
    const bytes = readFileSync(inputs.file('whole.arrow'))
    inputs.put('cut.arrow', bytes.subarray(0, bytes.length - 20))
    inputs.expectRefusal(
      await inputs.scoring(inputs.file('cut.arrow')),
      'FILE_FORMAT',
      /cut\.arrow is a truncated Arrow file/,
    )
  })

  it('a file that changes its schema midway', async () => {
    const part = (table: Table) => new RecordBatchStreamWriter().writeAll(table).finish().toUint8Array()
    const first = await part(tableFromArrays({ a: Float64Array.of(1, 2) }))
    const second = await part(tableFromArrays({ a: Int32Array.of(1, 2) }))
    inputs.put('midway.arrows', Buffer.concat([(await first).subarray(0, -8), await second]))
    inputs.expectRefusal(
      await inputs.fitting(inputs.file('midway.arrows')),
      'SCHEMA_MISMATCH',
      /changes its schema midway/,
    )
  })

  it('doubled Arrow columns', async () => {
    const { Field, RecordBatch, Schema, Struct, makeData } = await import('apache-arrow')
    const data = makeData({ type: new Float64(), length: 1, data: Float64Array.of(1) })
    const schema = new Schema([new Field('a', new Float64()), new Field('a', new Float64())])
    const struct = makeData({ type: new Struct(schema.fields), length: 1, children: [data, data] })
    await writeArrow(inputs.file('doubled.arrow'), new Table([new RecordBatch(schema, struct)]))
    inputs.expectRefusal(
      await inputs.fitting(inputs.file('doubled.arrow')),
      'SCHEMA_MISMATCH',
      /two columns named "a"/,
    )
  })

  it('a folder, and a file without read permission', async () => {
    mkdirSync(inputs.file('folder.arrow'))
    inputs.expectRefusal(
      await inputs.fitting(inputs.file('folder.arrow')),
      'FILE_UNREADABLE',
      /folder\.arrow is a folder/,
    )
    const secret = IS_ROOT ? UNREADABLE_TO_ROOT : inputs.put('secret.csv', 'a\n1\n')
    if (!IS_ROOT) chmodSync(secret, 0)
    inputs.expectRefusal(await inputs.fitting(secret), 'FILE_UNREADABLE', /: no permission to read/)
  })
})

describe('data that is not what the model learned', () => {
  it('a missing or renamed column', async () => {
    inputs.put('renamed.csv', 'amuont,count,city\n1,2,Bern\n')
    inputs.expectRefusal(
      await inputs.scoring(inputs.file('renamed.csv')),
      'SCHEMA_MISMATCH',
      /renamed\.csv has no column "amount" \(did you mean "amuont"\?\); it has: amuont, count, city/,
    )
  })

  it('a column of another type', async () => {
    await writeArrow(
      inputs.file('typed.arrow'),
      new Table({
        amount: vectorFromArray(['one', 'two'], new Utf8()),
        count: vectorFromArray([1, 2], new Int32()),
        city: vectorFromArray(['Bern', 'Genf'], new Utf8()),
      }),
    )
    inputs.expectRefusal(
      await inputs.scoring(inputs.file('typed.arrow')),
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
    const { code, stdout, stderr } = await inputs.scoring(
      inputs.put('cells.csv', payments(...rows, ...ordinary)),
    )
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
    const { code, stdout } = await inputs.scoring(inputs.put('broken.ndjson', lines.join('\n')))
    expect(code).toBe(0)
    expect(parseLines(stdout).map(({ verdict }) => verdict)).toEqual(['normal', 'unscored', 'unscored'])
  })
})
