import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packageRoot, packageVersion } from '../../src/core/package-root.ts'
import { parseLines, ROWS, surprisal, writePayments } from './surprisal.ts'

let folder: string
let model: string
let summary: Record<string, unknown>
const file = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'surprisal-cli-'))
  model = file('payments.safetensors')
  writePayments(file('payments.csv'))
  const lines = readFileSync(file('payments.csv'), 'utf8').trim().split('\n')
  const labelled = [`${lines[0]},label`, ...lines.slice(1).map((line) => `${line},0`)]
  const odd = Array.from({ length: 12 }, (_, i) => `${900 + i},${i},Bern,1`)
  writeFileSync(file('labelled.csv'), [...labelled, ...odd, ''].join('\n'))
  const options = ['--where', 'label=0', '--rate', '0.01', '--model', model, '--effort', '0.2']
  summary = await json('fit', 'labelled.csv', ...options)
}, 400_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Threads are for large files: they cost more than these records take. */
const ALONE = ['--workers', '0']

const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await surprisal([...args, '-o', 'json'], { cwd: folder })
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout)
}

describe('fit', () => {
  it('says what it learned, without the column that --where held constant', () => {
    expect(summary).toMatchObject({ records: ROWS, fields: 3, ignored: ['label'], nominal_rate: 0.01 })
  })
})

describe('feedback', () => {
  it('changes the next fit: labelled anomalies teach nothing, and precision is told', async () => {
    const odd = Array.from({ length: 12 }, (_, i) => `labelled.csv-${ROWS + i},anomaly`)
    writeFileSync(file('by-id.csv'), ['id,label', ...odd, 'labelled.csv-2,false_alarm', ''].join('\n'))
    const args = ['--ignore', 'label', '--feedback', 'by-id.csv', '--model', 'told.safetensors']
    const told = await json('fit', 'labelled.csv', ...args, '--effort', '0.2')
    expect(told).toMatchObject({ records: ROWS + 12, labelled_anomalies: 12, false_alarms: 1 })
    await json('score', 'labelled.csv', '--model', 'told.safetensors', '--out', 'told.ndjson', ...ALONE)
    const { labelled, precision } = await json('evaluate', 'told.ndjson', '--feedback', 'by-id.csv')
    expect(labelled).toBeGreaterThanOrEqual(12)
    expect(precision).toBeGreaterThan(0.9)
  })
})

describe('score', () => {
  it('writes scored records beside the kept columns and says how many and how fast', async () => {
    const args = ['--model', model, '--out', 'scored.arrow', '--keep', 'label,city']
    const result = await json('score', 'labelled.csv', ...args)
    expect(result).toMatchObject({ records: ROWS + 12, unscored: 0, nominal_rate: 0.01, out: 'scored.arrow' })
    expect(result.records_per_second).toBeGreaterThan(0)
    expect(result.anomalies).toBeGreaterThanOrEqual(12)
    const evaluation = await json('evaluate', 'scored.arrow', '--label', 'label')
    expect(evaluation).toMatchObject({ records: ROWS + 12, anomalies: 12, recall: 1, nominal_rate: 0.01 })
    expect(evaluation.auroc).toBeGreaterThan(0.99)
  })

  it.each(['csv', 'parquet', 'ndjson'])('writes %s that evaluate reads', async (format) => {
    const args = ['--model', model, '--out', `scored.${format}`, '--keep', 'label', '--no-explain']
    await json('score', 'labelled.csv', ...args, ...ALONE)
    expect(await json('evaluate', `scored.${format}`, '--label', 'label')).toMatchObject({ recall: 1 })
  })

  it('scores the same in a pipe: records on standard output, the summary on standard error', async () => {
    const rows = readFileSync(file('labelled.csv'), 'utf8').trim().split('\n')
    const { code, stdout, stderr } = await surprisal(['score', '-', '--model', model, '--out', '-'], {
      stdin: [rows[0], rows[ROWS + 5], rows[1], ''].join('\n'),
    })
    expect(code, stderr).toBe(0)
    const [odd, plain] = parseLines(stdout)
    expect(odd).toMatchObject({ id: 'stdin-0', verdict: 'anomaly', attribution: expect.any(Array) })
    expect((odd.attribution as { field: string }[])[0].field).toBe('amount')
    expect(plain).toMatchObject({ id: 'stdin-1', verdict: 'normal', attribution: [] })
    expect(JSON.parse(stderr.split('\n').find((line) => line.startsWith('{')) ?? '')).toMatchObject({
      records: 2,
    })
  })

  it('writes a report that needs nothing else', async () => {
    const args = ['--model', model, '--out', 'r.arrow', '--report', 'report.html']
    await json('score', 'labelled.csv', ...args, ...ALONE)
    const page = readFileSync(file('report.html'), 'utf8')
    expect(page).toMatch(/^<!doctype html>/)
    expect(page).toContain('labelled.csv-')
    expect(page).not.toMatch(/(src|href)=|https?:\/\//)
  })

  it('marks what the rules of a pipeline suppress, and counts it', async () => {
    const rules = { name: 'bern', where: { city: 'Bern' } }
    const pipeline = {
      name: 'payments',
      source: { type: 'file', paths: ['labelled.csv'] },
      alerts: { rate: 0.02, suppress: [rules] },
    }
    writeFileSync(file('rules.yaml'), JSON.stringify(pipeline))
    const args = ['--model', model, '--out', 'known.ndjson', '--pipeline', 'rules.yaml']
    const result = await json('score', 'labelled.csv', ...args, '--report', 'known.html')
    expect(result).toMatchObject({ nominal_rate: 0.02, suppressed: expect.any(Number) })
    const records = parseLines(readFileSync(file('known.ndjson'), 'utf8'))
    const known = records.filter(({ suppressed }) => suppressed === 'bern')
    expect(known).toHaveLength(result.suppressed)
    expect(known.filter(({ is_anomaly }) => is_anomaly)).toHaveLength(result.suppressed)
    expect(result.suppressed).toBeGreaterThanOrEqual(12)
    expect(readFileSync(file('known.html'), 'utf8')).toContain('suppressed by bern')
    const { models } = await json('backtest', 'labelled.csv', '--model', model, '--pipeline', 'rules.yaml')
    expect(models[0]).toMatchObject({ alarms: result.anomalies, suppressed: result.suppressed })
    writeFileSync(
      file('blaming.yaml'),
      JSON.stringify({ ...pipeline, alerts: { suppress: [{ name: 'rise', direction: 'up' }] } }),
    )
    const blaming = ['score', 'labelled.csv', '--model', model, '--out', 'x.csv', '--no-explain']
    const { code, stderr } = await surprisal([...blaming, '--pipeline', 'blaming.yaml'], { cwd: folder })
    expect(code, stderr).toBe(2)
    expect(stderr).toContain('rule "rise"')
  })

  it('masks redacted fields everywhere, and refuses to keep them', async () => {
    const args = ['--model', model, '--redact', 'amount', ...ALONE]
    await json('score', 'labelled.csv', ...args, '--out', 'masked.ndjson', '--report', 'masked.html')
    const masked = readFileSync(file('masked.ndjson'), 'utf8')
    expect(masked).not.toMatch(/"value":9\d\d/)
    expect(readFileSync(file('masked.html'), 'utf8')).not.toMatch(/<td>9\d\d<\/td>/)
    const { code, stderr } = await surprisal(
      ['score', 'labelled.csv', ...args, '--out', 'x.arrow', '--keep', 'amount'],
      { cwd: folder },
    )
    expect(code).toBe(2)
    expect(stderr).toContain('both kept and redacted')
  })
})

describe('explain', () => {
  it('shows the most surprising records with the field to blame first', async () => {
    const records = await json('explain', 'labelled.csv', '--model', model, '--top', '3')
    expect(records).toHaveLength(3)
    for (const record of records) expect(record.attribution[0].field).toBe('amount')
    const [one] = await json('explain', 'labelled.csv', '--model', model, '--id', records[0].id)
    expect(one).toMatchObject({ id: records[0].id, verdict: 'anomaly' })
    const { value } = one.normal_if.find(({ field }: { field: string }) => field === 'amount')
    expect(value).toBeLessThan(50)
    const args = ['explain', 'labelled.csv', '--model', model, '--id', records[0].id]
    const { stdout } = await surprisal(args, { cwd: folder })
    expect(stdout).toMatch(/normal if amount were \d/)
  })

  it('says when an id is not there', async () => {
    const args = ['explain', 'labelled.csv', '--model', model, '--id', 'nothing-1']
    const { code, stderr } = await surprisal(args, { cwd: folder })
    expect(code).toBe(2)
    expect(stderr).toContain('no record has the id "nothing-1"')
  })
})

describe('models and calibrate', () => {
  it('shows a model file and gives it another rate without fitting', async () => {
    const changed = await json('calibrate', '--model', model, '--rate', '0.05', '--out', 'loose.safetensors')
    expect(changed).toMatchObject({ nominal_rate: 0.05, before: 0.01 })
    const manifest = await json('models', 'show', 'loose.safetensors')
    expect(manifest).toMatchObject({ alerts: { rate: 0.05 }, lineage: { source: 'labelled.csv' } })
    const args = ['--model', 'loose.safetensors', '--out', 'loose.csv']
    const loose = await json('score', 'labelled.csv', ...args, ...ALONE)
    expect(loose.nominal_rate).toBe(0.05)
    const { stdout, code } = await surprisal(['models', 'show', 'loose.safetensors'], { cwd: folder })
    expect(code).toBe(0)
    expect(stdout).toMatch(/amount\s+numeric\s+modelled/)
  })

  it('lists an empty registry, and names a model that is not there', async () => {
    expect(await json('models', 'list', '--registry', 'none')).toEqual([])
    const { code, stderr } = await surprisal(['models', 'show', 'nobody@2'], { cwd: folder })
    expect(code).toBe(1)
    expect(stderr).toContain('MODEL_NOT_FOUND')
  })
})

describe('init and lint', () => {
  it('writes a commented pipeline that lint accepts, and does not overwrite it', async () => {
    expect((await surprisal(['init', 'payments.csv'], { cwd: folder })).code).toBe(0)
    const text = readFileSync(file('pipeline.yaml'), 'utf8')
    expect(text).toMatch(/name: payments\n/)
    expect(text).toMatch(/# {3}city: category/)
    const linted = await surprisal(['lint', 'pipeline.yaml'], { cwd: folder })
    expect(linted).toMatchObject({ code: 0, stdout: 'pipeline.yaml: ok\n' })
    const again = await surprisal(['init', 'payments.csv'], { cwd: folder })
    expect(again.code).toBe(2)
    expect(again.stderr).toContain('--force')
  })

  it('says where a pipeline is wrong', async () => {
    writeFileSync(file('wrong.yaml'), 'name: a\nsource:\n  type: file\n  path: [x]\n')
    const { code, stderr } = await surprisal(['lint', 'wrong.yaml'], { cwd: folder })
    expect(code).toBe(2)
    expect(stderr).toContain('wrong.yaml:4: source.path: unknown setting; did you mean "paths"?')
  })
})

describe('the command', () => {
  it('explains itself', async () => {
    const { code, stdout } = await surprisal(['--help'])
    expect(code).toBe(0)
    const names = 'init lint fit score explain evaluate calibrate models doctor'
    for (const name of names.split(' ')) expect(stdout).toMatch(new RegExp(`^ {2}${name}`, 'm'))
    expect((await surprisal(['fit', '--help'])).stdout).toContain('Examples:')
    expect((await surprisal(['--version'])).stdout).toBe(`${packageVersion}\n`)
  })

  it.each([
    [['scor'], /Did you mean score\?/],
    [['fit', 'x.csv', '--model', 'm', '--sede', '1'], /Did you mean --seed\?/],
    [['fit', 'x.csv'], /required option '--model <file>' not specified/],
    [['fit', 'x.csv', '--model', 'm', '--seed', 'one'], /whole number from 0/],
    [['fit', 'x.csv', '--model', 'm', '--flow', 'maf'], /Allowed choices are real-nvp, glow/],
    [['fit', 'x.csv', '--model', 'm', '--where', 'label'], /expected column=value/],
  ])('refuses %j with exit code 2', async (args, message) => {
    const { code, stdout, stderr } = await surprisal(args)
    expect(stderr).toMatch(message)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })

  it('ends quietly when its reader goes away', () => {
    const main = join(packageRoot, 'dist', 'src', 'cli', 'main.js')
    const { stdout, stderr } = spawnSync(
      'bash',
      ['-c', `"${process.execPath}" "${main}" score labelled.csv --model "${model}" --out - | head -1`],
      { cwd: folder, encoding: 'utf8' },
    )
    expect(parseLines(stdout)).toHaveLength(1)
    expect(stderr).not.toMatch(/EPIPE|INTERNAL|at /)
  })

  it('says what the machine offers', async () => {
    const machine = await json('doctor')
    expect(machine).toMatchObject({ surprisal: packageVersion, node: process.version })
    expect(machine.backends).toContainEqual(expect.objectContaining({ name: 'kernel', available: true }))
    expect(existsSync(file('pipeline.yaml'))).toBe(true)
  })
})
