import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import type { RecordBatch } from '../src/core/record.ts'
import { selectRows } from '../src/features/select-rows.ts'

/** The sets that choices may look at; the others are reported apart. */
export const DEVELOPMENT = ['cardio', 'annthyroid', 'magic.gamma', 'donors', 'PageBlocks', 'vowels']

export interface Labelled {
  readonly batch: RecordBatch
  readonly label: Uint8Array
  /** Per split: 1 where a row is learned from. */
  readonly train: readonly Uint8Array[]
}
export interface Baseline {
  readonly method: string
  /** AUROC and AUPRC, percent. */
  readonly figures: readonly number[]
}

/** The development sets, then the others, of those asked for. */
export function setsIn(folder: string, asked?: readonly string[]): readonly string[] {
  const names = readdirSync(folder).flatMap((file) => (file.endsWith('.arrow') ? [file.slice(0, -6)] : []))
  return [...DEVELOPMENT, ...names.filter((name) => !DEVELOPMENT.includes(name))].filter(
    (name) => names.includes(name) && (asked ?? names).includes(name),
  )
}

export function loadSet(folder: string, name: string): Labelled {
  const table = tableFromIPC(readFileSync(join(folder, `${name}.arrow`)))
  const column = (field: string) => table.getChild(field)!.toArray()
  const fields = table.schema.fields.map((field) => field.name)
  const columns = fields.flatMap((field) =>
    /^f\d+$/.test(field)
      ? [[field, { kind: 'number', values: Float32Array.from(column(field)), integer: false }] as const]
      : [],
  )
  return {
    batch: {
      rows: table.numRows,
      columns: new Map(columns),
      origin: { prefix: name, offsets: { first: 0 } },
    },
    label: Uint8Array.from(column('label'), Number),
    train: fields
      .filter((field) => field.startsWith('train_'))
      .map((field) => Uint8Array.from(column(field), Number)),
  }
}

export function readBaselines(folder: string): ReadonlyMap<string, readonly Baseline[]> {
  const known = new Map<string, Baseline[]>()
  for (const line of readFileSync(join(folder, 'baselines.csv'), 'utf8').trim().split('\n').slice(1)) {
    const [set, method, auroc, auprc] = line.split(',')
    known.set(set, [...(known.get(set) ?? []), { method, figures: [Number(auroc), Number(auprc)] }])
  }
  return known
}

export function splitOf({ batch, label, train }: Labelled, split: number) {
  const rows = Array.from({ length: batch.rows }, (_, i) => i)
  const tested = rows.filter((i) => train[split][i] !== 1)
  return {
    learning: selectRows(
      batch,
      rows.filter((i) => train[split][i] === 1),
    ),
    tested: selectRows(batch, tested),
    labels: tested.map((i) => label[i]),
  }
}
