import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../../../connectors/duckdb/database.ts'
import { DuckdbFile } from '../../../connectors/duckdb/source.ts'
import type { FileBatch } from '../../../connectors/files/record-file.ts'
import { rowOf } from '../../../src/core/record.ts'
import { temporaryFolder } from '../files/temporary-folder.ts'

async function read(
  path: string,
  format: 'csv' | 'parquet',
  wanted = (_: string) => true,
): Promise<FileBatch[]> {
  await using file = new DuckdbFile(path, format)
  const batches: FileBatch[] = []
  for await (const batch of file.read(wanted, new AbortController().signal)) batches.push(batch)
  return batches
}

const rowsOf = (batches: readonly FileBatch[]) =>
  batches.flatMap(({ batch }) => Array.from({ length: batch.rows }, (_, row) => ({ ...rowOf(batch, row) })))

async function parquet(select: string): Promise<string> {
  const path = join(temporaryFolder(), 'in.parquet')
  const database = await openDatabase()
  await database.connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet)`)
  database.close()
  return path
}

function csv(text: string): string {
  const path = join(temporaryFolder(), 'in.csv')
  writeFileSync(path, text)
  return path
}

describe('a Parquet file', () => {
  it('gives every supported type', async () => {
    const path = await parquet(
      `SELECT 1::TINYINT AS i8, 9007199254740993 AS i64, 1.25::DECIMAL(10, 2) AS d, 0.5::FLOAT AS f, true AS b,
       TIMESTAMP '2024-01-02 03:04:05.678' AS ts, DATE '2024-01-02' AS day, TIME '00:01:00' AS clock, 'é' AS t,
       NULL::DOUBLE AS missing`,
    )
    expect(rowsOf(await read(path, 'parquet'))).toEqual([
      {
        i8: 1,
        i64: 2 ** 53,
        d: 1.25,
        f: 0.5,
        b: true,
        ts: new Date('2024-01-02T03:04:05.678Z'),
        day: new Date('2024-01-02T00:00:00Z'),
        clock: 60,
        t: 'é',
        missing: null,
      },
    ])
  })

  it('keeps rows, order and nulls over many chunks', async () => {
    const path = await parquet(
      `SELECT i::INTEGER AS i, CASE WHEN i % 3 > 0 THEN 'v' || (i % 5) END AS t FROM range(150000) r(i)`,
    )
    const batches = await read(path, 'parquet')
    expect(batches.length).toBeGreaterThan(1)
    let next = 0
    for (const { batch } of batches) {
      expect(batch.origin.offsets).toEqual({ first: next })
      for (let row = 0; row < batch.rows; row += 997) {
        const i = next + row
        expect({ ...rowOf(batch, row) }).toEqual({ i, t: i % 3 > 0 ? `v${i % 5}` : null })
      }
      next += batch.rows
    }
    expect(next).toBe(150_000)
  })

  it('refuses a nested column by name, unless it is left out', async () => {
    const path = await parquet('SELECT 1 AS a, [1, 2] AS nested')
    await expect(read(path, 'parquet')).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringContaining('--ignore nested'),
    })
    expect(rowsOf(await read(path, 'parquet', (name) => name === 'a'))).toEqual([{ a: 1 }])
  })
})

describe('a CSV file', () => {
  it('keeps the text of a cell that does not parse, beside the numbers', async () => {
    const good = Array.from(
      { length: 30 },
      (_, i) => `${i}.5,2024-01-02 00:00:${String(i).padStart(2, '0')},true`,
    )
    const rows = rowsOf(await read(csv(['n,at,b', ...good, 'oops,,', ''].join('\n')), 'csv'))
    expect(rows[0]).toEqual({ n: 0.5, at: new Date('2024-01-02T00:00:00Z'), b: true })
    expect(rows[30]).toEqual({ n: 'oops', at: null, b: null })
  })

  it('gives back a line that cannot be cut into cells as a rejected record', async () => {
    const good = Array.from({ length: 30 }, (_, i) => `${i},x`)
    const batches = await read(csv(['n,t', ...good, '1,2,3,4', '7,y', ''].join('\n')), 'csv')
    expect(rowsOf(batches)).toHaveLength(31)
    const rejected = batches.flatMap((batch) => batch.rejected)
    expect(rejected).toHaveLength(1)
    expect(rejected[0].reason).toMatch(/^line 32: Expected Number of Columns: 2 Found: [34]/)
    expect(String(rejected[0].value)).toBe('1,2,3,4')
  })

  it('reads quoted names and cells, other delimiters, and dates as people write them', async () => {
    const lines = [
      '"a ""b""";when',
      ...Array.from({ length: 20 }, (_, i) => `"x;${i}";${i + 1}/12/2023`),
      '"y";31/12/2023',
      '',
    ]
    const rows = rowsOf(await read(csv(lines.join('\n')), 'csv'))
    expect(rows[0]).toEqual({ 'a "b"': 'x;0', when: new Date('2023-12-01T00:00:00Z') })
    expect(rows[20]).toEqual({ 'a "b"': 'y', when: new Date('2023-12-31T00:00:00Z') })
  })
})
