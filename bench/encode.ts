/**
 * Rows per second of the encoder, one core: 16 float32 columns without nulls, and a mixed table.
 * Run: npx esbuild bench/encode.ts --bundle --platform=node --format=esm --outfile=dist/bench/encode.mjs && node dist/bench/encode.mjs
 */
import { cpus } from 'node:os'
import { random } from '../src/core/random.ts'
import type { Column, RecordBatch } from '../src/core/record.ts'
import type { EncodedBatch } from '../src/features/encoded.ts'
import { fitEncoder } from '../src/features/encoder-fit.ts'
import { profileColumns } from '../src/features/profile/profile.ts'
import { exactView } from '../src/features/view.ts'

const ROWS = 65_536
const r = random(1)
const origin = { prefix: 'bench', offsets: { first: 0 } }

function plain(): RecordBatch {
  const columns = new Map<string, Column>()
  for (let k = 0; k < 16; k++)
    columns.set(`x${k}`, {
      kind: 'number',
      integer: false,
      values: Float32Array.from({ length: ROWS }, () => 10 * k + r.normal()),
    })
  return { rows: ROWS, columns, origin }
}

function mixed(): RecordBatch {
  const dictionary = Array.from({ length: 300 }, (_, i) => `A${i}`)
  const codes = () => Int32Array.from({ length: ROWS }, () => Math.floor(300 * r.uniform() ** 2))
  const start = 1.7e12
  return {
    rows: ROWS,
    origin,
    columns: new Map<string, Column>([
      [
        'date',
        { kind: 'timestamp', values: Float64Array.from({ length: ROWS }, (_, i) => start + i * 60_000) },
      ],
      [
        'delay',
        { kind: 'number', integer: true, values: Int16Array.from({ length: ROWS }, () => 20 * r.normal()) },
      ],
      [
        'distance',
        {
          kind: 'number',
          integer: true,
          values: Int16Array.from({ length: ROWS }, () => 500 + 200 * r.normal()),
        },
      ],
      ['origin', { kind: 'string', codes: codes(), dictionary }],
      ['destination', { kind: 'string', codes: codes(), dictionary }],
    ]),
  }
}

function rate(name: string, rows: number, run: () => void): void {
  run()
  const started = performance.now()
  let times = 0
  while (performance.now() - started < 1500) {
    run()
    times++
  }
  const perSecond = (times * rows) / ((performance.now() - started) / 1000)
  console.log(`${name.padEnd(44)} ${(perSecond / 1e6).toFixed(2).padStart(7)} M rows/s`)
}

console.log(`node ${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'}, one core`)
for (const [name, batch] of [
  ['16 float32 columns', plain()],
  ['flights-like: time, 2 integers, 2 categories', mixed()],
] as const) {
  const encoder = fitEncoder([batch])
  const view = exactView(encoder.layout)
  let lent: EncodedBatch | undefined
  console.log(name)
  rate('  profile', ROWS, () => void profileColumns([batch]))
  rate('  encode', ROWS, () => {
    lent = encoder.encode(batch, lent)
  })
  rate('  exact view of it', ROWS, () => void view.input(encoder.encode(batch, lent)))
}
