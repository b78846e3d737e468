import { type Command, Option } from 'commander'
import type { FileFormat } from '../../connectors/files/format.ts'
import { integer, list, numberIn, type OutputMode, outputOption, whereOption } from './arguments.ts'
import { interruption } from './interrupt.ts'
import { note, printResult } from './output.ts'
import { startProgress } from './progress.ts'
import { subcommand } from './subcommand.ts'

interface ScoreArguments {
  readonly where: string[]
  readonly model: string
  readonly out: string
  readonly format?: FileFormat
  readonly keep?: string[]
  readonly explain: boolean
  readonly rate?: number
  readonly redact?: string[]
  readonly pipeline?: string
  readonly watchRate?: number
  readonly workers?: number
  readonly time?: string
  readonly entity?: string
  readonly report?: string
  readonly output: OutputMode
}

/** Alarms of entities that are told one by one; all are counted. */
const MOST_TOLD = 20

export function addScore(program: Command): void {
  subcommand(program, 'score', 'Score records by their surprisal and flag the improbable ones.')
    .argument('<data...>', 'Arrow, Parquet, CSV or NDJSON files; patterns; - for standard input')
    .requiredOption('--model <file>', 'the model file')
    .requiredOption('--out <file>', 'the output (.arrow, .parquet, .csv, .ndjson); - for standard output')
    .addOption(whereOption())
    .addOption(
      new Option(
        '--format <format>',
        'output format (default: by the extension; ndjson on standard output)',
      ).choices(['arrow', 'parquet', 'csv', 'ndjson']),
    )
    .option('--keep <columns>', 'input columns that the output carries on', list)
    .option('--no-explain', 'leave out which fields are to blame')
    .option('--rate <share>', 'another nominal false-alarm rate than the model’s', numberIn(0, 0.5))
    .option('--redact <columns>', 'fields whose values are masked in the output', list)
    .option('--pipeline <file>', 'a pipeline.yaml whose rules hold: rate, suppress, watch, redact')
    .option(
      '--watch-rate <share>',
      'nominal false alarms per record of each watch on entities (default: 1e-6)',
      numberIn(0, 0.01),
    )
    .option('--workers <number>', 'scoring threads (default: one a core)', integer(0))
    .option('--time <column>', 'column of the event time (default: the first timestamp)')
    .option('--entity <column>', 'column that names who a record is about')
    .option('--report <file>', 'write a self-contained HTML page about the scores')
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  surprisal score february.parquet --model payments.safetensors --out scored.arrow --keep payment_id
  surprisal score new.csv --model payments.safetensors --out scored.csv --report report.html
  surprisal score may.parquet --model payments.safetensors --out scored.parquet --pipeline pipeline.yaml
  cat new.ndjson | surprisal score - --model payments.safetensors --out - | jq 'select(.is_anomaly)'`,
    )
    .action(score)
}

async function score(data: string[], given: ScoreArguments): Promise<void> {
  const { scoreFiles } = await import('../app/files/score-files.ts')
  const { output, report, pipeline, watchRate, ...flags } = given
  const { alertRules } = await import('../app/files/alert-rules.ts')
  const rules = pipeline === undefined ? undefined : alertRules(pipeline)
  const options = { ...rules, ...flags }
  const watch = { ...rules?.watch, ...(watchRate !== undefined && { rate: watchRate }) }
  const { ReportCollector } = await import('../report/collector.ts')
  const collector = report === undefined ? undefined : new ReportCollector(options.redact)
  using progress = await startProgress('score')
  let told = 0
  const summary = await scoreFiles({
    ...options,
    data,
    watch,
    signal: interruption.signal,
    ...(collector && { observe: (scored) => collector.add(scored) }),
    onAlarm: (alarm) => {
      collector?.alarm(alarm)
      const { state, entity, summary: what, since } = alarm
      if (state === 'firing' && told++ < MOST_TOLD)
        note(
          `note: ${entity ?? 'the stream'}${since === null ? '' : ` at ${new Date(since).toISOString()}`}: ${what}`,
        )
    },
    onProgress: (update) => progress.update(update),
  })
  progress[Symbol.dispose]()
  if (collector !== undefined && report !== undefined) {
    const { writeReport } = await import('../app/files/write-report.ts')
    await writeReport(report, collector, { data, model: given.model })
  }
  if (summary.unscored > 0)
    note(
      `note: ${summary.unscored} of ${summary.records} records are unscored; the column "reasons" says why`,
    )
  // Scored records on standard output stay alone there.
  if (given.out === '-') note(JSON.stringify(summary))
  else printResult(output, report === undefined ? { ...summary } : { ...summary, report })
}
