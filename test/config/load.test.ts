import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadPipeline, parsePipeline } from '../../config/load.ts'
import { temporaryFolder } from '../connectors/files/temporary-folder.ts'

const MINIMAL = `name: payments
source:
  type: file
  paths: [in.arrow]
`
const NO_ENVIRONMENT = { environment: {} }

function refusal(text: string, environment: Record<string, string> = {}): string {
  try {
    parsePipeline(text, 'pipeline.yaml', { environment })
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
    return (error as Error).message
  }
  throw new Error('was accepted')
}

describe('parsePipeline', () => {
  it('fills in defaults', () => {
    const config = parsePipeline(MINIMAL, 'pipeline.yaml', NO_ENVIRONMENT)
    expect(config).toMatchObject({
      name: 'payments',
      model: { flow: 'real-nvp', seed: 0, backend: 'auto' },
      registry: { type: 'fs', path: 'models' },
      sinks: [],
      queue: { type: 'memory' },
      retrain: { timezone: 'UTC', drift: 'warn' },
    })
    expect(config.api).toBeUndefined()
  })

  it('reads rules of suppression', () => {
    const { alerts } = parsePipeline(
      `${MINIMAL}alerts:
  suppress:
    - name: night
      where: { airline: [AA, BB], distance: { below: 100 } }
      entity: [gate-1]
      calendar: { weekdays: [sat, sun], from: '22:00', to: '06:00', timezone: Europe/Berlin }
      field: delay
      direction: up
      minimum_change: 5%
`,
      'pipeline.yaml',
      NO_ENVIRONMENT,
    )
    expect(alerts.suppress).toMatchObject([
      {
        name: 'night',
        minimum_change: '5%',
        calendar: { timezone: 'Europe/Berlin', weekdays: ['sat', 'sun'] },
      },
    ])
  })

  it('lets the environment win over the file, and flags over both', () => {
    const text = `${MINIMAL}alerts:\n  rate: 0.1\nmodel:\n  seed: 1\n`
    const environment = { SURPRISAL_ALERTS__RATE: '0.01', SURPRISAL_MODEL__SEED: '2', SURPRISAL_OTHER: 'x' }
    const config = parsePipeline(text, 'p.yaml', { environment, set: ['model.seed=3', 'log.level=debug'] })
    expect(config.alerts.rate).toBe(0.01)
    expect(config.model.seed).toBe(3)
    expect(config.log.level).toBe('debug')
  })

  it('replaces variables, with defaults, types and a way to write them plainly', () => {
    const text = `name: \${NAME}\nsource:\n  type: file\n  paths: ['\${DIR:data}/in.arrow', '$\${NAME}']\nmodel:\n  seed: \${SEED}\n`
    const config = parsePipeline(text, 'p.yaml', { environment: { NAME: 'orders', SEED: '7' } })
    expect(config).toMatchObject({
      name: 'orders',
      source: { paths: ['data/in.arrow', '$' + '{NAME}'] },
      model: { seed: 7 },
    })
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the message shows it as it is written
    expect(refusal('name: ${NAME}\n')).toContain('${NAME} is not set in the environment and has no default')
  })

  it('reads secrets from files', () => {
    const file = join(temporaryFolder(), 'url')
    writeFileSync(file, 'redis://secret:6379\n')
    const text = `${MINIMAL}queue:\n  type: bullmq\n  url_file: ${file}\n`
    expect(parsePipeline(text, 'p.yaml', NO_ENVIRONMENT).queue).toMatchObject({ url: 'redis://secret:6379' })
    expect(refusal(text.replace('url_file', 'url: redis://a\n  url_file'))).toContain(
      'give either url or url_file',
    )
    expect(refusal(text.replace(file, '/nowhere/at/all'))).toContain(
      'queue.url_file: /nowhere/at/all cannot be read',
    )
  })

  it.each([
    [
      'an unknown setting',
      `${MINIMAL}alerts:\n  ratee: 0.1\n`,
      'pipeline.yaml:6: alerts.ratee: unknown setting; did you mean "rate"?',
    ],
    [
      'an unknown section',
      `${MINIMAL}alert:\n  rate: 0.1\n`,
      'pipeline.yaml:5: alert: unknown setting; did you mean "alerts"?',
    ],
    [
      'an unknown setting in a list',
      `${MINIMAL}sinks:\n  - type: file\n    path: a.arrow\n    kep: [a]\n`,
      'pipeline.yaml:8: sinks.0.kep: unknown setting; did you mean "keep"?',
    ],
    [
      'an unknown type',
      `${MINIMAL}store:\n  type: duckbd\n  path: x\n`,
      'pipeline.yaml:6: store.type: "duckbd" is not one of memory, duckdb, postgres; did you mean "duckdb"?',
    ],
    [
      'an unknown choice',
      `${MINIMAL}model:\n  flow: glw\n`,
      'pipeline.yaml:6: model.flow: "glw" is not one of real-nvp, glow; did you mean "glow"?',
    ],
    [
      'a value out of range',
      `${MINIMAL}alerts:\n  rate: 2\n`,
      'pipeline.yaml:6: alerts.rate: 2 is refused: Too big: expected number to be <=0.5',
    ],
    [
      'two that exclude each other',
      `${MINIMAL}alerts:\n  rate: 0.1\n  budget: 20/day\n`,
      'pipeline.yaml:7: alerts.budget: "20/day" is refused: give either rate or budget',
    ],
    ['a missing setting', 'name: a\nsource:\n  type: file\n', 'pipeline.yaml:2: source.paths: is missing'],
    [
      'a bad time zone',
      `${MINIMAL}retrain:\n  timezone: Mars/Base\n`,
      'pipeline.yaml:6: retrain.timezone: "Mars/Base" is refused: an IANA time zone',
    ],
    [
      'a rule that would suppress everything',
      `${MINIMAL}alerts:\n  suppress:\n    - name: all\n`,
      'a rule without a condition would suppress every alert',
    ],
    [
      'a calendar that is none',
      `${MINIMAL}alerts:\n  suppress:\n    - { name: n, calendar: { cron: now and then } }\n`,
      '"now and then" is no cron expression',
    ],
    [
      'two rules of one name',
      `${MINIMAL}alerts:\n  suppress: [{ name: n, entity: [a] }, { name: n, field: b }]\n`,
      'two rules have one name',
    ],
    ['a doubled key', `${MINIMAL}name: b\n`, 'pipeline.yaml:5: Map keys must be unique'],
    ['broken YAML', 'name: [a\n', 'pipeline.yaml:'],
    ['a file that is no map', '- a\n', 'the file'],
  ])('says what is wrong, where, and what was meant: %s', (_, text, message) => {
    expect(refusal(text)).toContain(message)
  })

  it('names every fault at once', () => {
    expect(refusal(`${MINIMAL}alerts:\n  ratee: 1\nmodel:\n  sed: 1\n`).split('\n')).toHaveLength(2)
  })

  it('keeps prototype keys out', () => {
    expect(refusal(`${MINIMAL}__proto__:\n  polluted: true\n`)).toContain('__proto__')
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})

describe('loadPipeline', () => {
  it('names a file that is not there', () => {
    expect(() => loadPipeline('/nowhere/pipeline.yaml')).toThrow(/nowhere.*cannot be read/)
  })
})
