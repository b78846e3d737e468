import { type Command, Option } from 'commander'
import type { ScoredRecord } from '../core/scored.ts'
import type { DemoSummary } from '../demo/tally.ts'
import { integer, numberIn, type OutputMode, outputOption } from './arguments.ts'
import { interruption } from './interrupt.ts'
import { note, print, printResult, printRows, shown } from './output.ts'
import { startProgress } from './progress.ts'
import { subcommand } from './subcommand.ts'

interface DemoArguments {
  readonly once: boolean
  readonly records: number
  readonly rate: number
  readonly seed: number
  readonly port: number
  readonly output: OutputMode
}

const TRAINING_SAMPLE = 250_000
const FAULT_SHARE = 0.005
const SHOWN = 12

export function addDemo(program: Command): void {
  subcommand(
    program,
    'demo',
    'Learn two months of flights, find planted faults in the next, open the dashboard.',
  )
    .option('--once', 'stop after the summary instead of going on live on the dashboard', false)
    .option('--records <number>', 'live records to score before the summary', integer(1000), 400_000)
    .option('--rate <share>', 'nominal false alarms per normal record', numberIn(0, 0.5), 0.001)
    .option('--seed <number>', 'of the fit and of the planted faults', integer(0), 1)
    .addOption(
      new Option('--port <number>', 'of the dashboard; 0 picks a free one')
        .argParser(integer(0))
        .default(8080),
    )
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  surprisal demo
  surprisal demo --once -o json`,
    )
    .action(demo)
}

async function demo({ once, records, rate, seed, port, output }: DemoArguments): Promise<void> {
  const { openFlights } = await import('../app/demo/demo-flights.ts')
  const { runDemo } = await import('../demo/demo.ts')
  const { signal } = interruption
  const flights = await openFlights(signal)
  note(`${flights.description}: learning from the first ${flights.trainingRecords.toLocaleString('en')}`)
  using progress = await startProgress('fit')
  let scoring = false
  let flagged = 0
  const { summary, artifact, routes } = await runDemo({
    flights: flights.batches,
    trainingRecords: flights.trainingRecords,
    maxRows: TRAINING_SAMPLE,
    liveRecords: records,
    rate,
    faultShare: FAULT_SHARE,
    seed,
    signal,
    onFit: ({ fraction, message, stage }) => progress.update({ fraction, message: message ?? stage }),
    onFlagged: (record, fault) => {
      if (!scoring) {
        progress[Symbol.dispose]()
        note(
          `\nscoring later flights, a fault planted in ${100 * FAULT_SHARE} % of them; the first flagged:\n`,
        )
        scoring = true
      }
      if (flagged++ < SHOWN) note(line(record, fault))
    },
    onScored: () => {},
  })
  report(output, summary)
  if (once) return
  const { runLiveDemo } = await import('../app/demo/demo-live.ts')
  const { pino } = await import('pino')
  await runLiveDemo({
    flights: flights.batches,
    routes,
    artifact,
    port,
    rate,
    faultShare: FAULT_SHARE,
    seed,
    signal,
    logger: pino({ level: 'warn' }, pino.destination(2)),
    onListening: (url) =>
      note(
        `\nlive on ${url}: flights come in, faults among them; in a minute all grow late, and minutes later a retrained model takes over. Ctrl-C ends it`,
      ),
  })
}

/** One flagged record, with the field to blame. */
function line(record: ScoredRecord, fault: string | undefined): string {
  const [worst] = record.attribution
  const range =
    worst?.normal_low == null
      ? `expected ${shown(worst?.expected)}`
      : `normal ${shown(worst.normal_low)} to ${shown(worst.normal_high)}`
  const blame = worst === undefined ? '' : `${worst.field} = ${shown(worst.value)} (${range})`
  return `  ${(record.severity ?? '').padEnd(8)} p ${record.p_value?.toExponential(1)}  ${blame.padEnd(58)} ${fault ? `planted: ${fault}` : ''}`
}

function report(output: OutputMode, summary: DemoSummary): void {
  if (output === 'json') {
    const { recall, ...rest } = summary
    const byFault = Object.fromEntries(recall.map(({ fault, recall: share }) => [fault, share]))
    print(JSON.stringify({ ...rest, recall: byFault, faults: recall }))
    return
  }
  const { recall, ...totals } = summary
  print('')
  printRows(
    output,
    recall.map((fault) => ({ ...fault })),
  )
  print('')
  printResult(output, { ...totals })
}
