import { SurprisalError } from '../core/errors.ts'
import { type Random, random } from '../core/random.ts'
import { type Column, cell, columnOf, type RecordBatch } from '../core/record.ts'

/** The faults that pipelines suffer. */
export const FAULT_KINDS = [
  'unit-change',
  'swapped-columns',
  'stuck-value',
  'clock-shift',
  'unknown-category',
  'missing-burst',
  'impossible-combination',
] as const
export type FaultKind = (typeof FAULT_KINDS)[number]

export interface FaultOptions {
  readonly seed: number
  /** Share of the rows that get a fault, over all kinds together. */
  readonly share: number
  /** Default: every kind for which the batch has suitable columns. */
  readonly kinds?: readonly FaultKind[]
  /** Which columns a kind may touch. Default: all of a suitable type. */
  readonly fields?: Readonly<Partial<Record<FaultKind, readonly string[]>>>
  /** What a changed unit multiplies by. Default 1.609344: miles sent as kilometres. */
  readonly unitFactor?: number
  /** What a shifted clock adds, milliseconds. Default 11 hours. */
  readonly clockShift?: number
}
export interface PlantedFault {
  readonly row: number
  readonly kind: FaultKind
  /** The columns whose value is wrong. */
  readonly fields: readonly string[]
}
export interface FaultyBatch {
  readonly batch: RecordBatch
  /** By row; a row has one fault at most. */
  readonly faults: readonly PlantedFault[]
}

const BURST = 5

/** Copies the batch and plants faults in randomly chosen rows; the same seed plants the same faults. */
export function plantFaults(batch: RecordBatch, options: FaultOptions): FaultyBatch {
  const { seed, share, kinds = FAULT_KINDS } = options
  if (!(share > 0 && share <= 1)) {
    throw new SurprisalError(
      'USAGE',
      `the share of faulty rows is ${share}, it must be above 0 and at most 1`,
    )
  }
  const rng = random(seed)
  const sheet = new Sheet(batch)
  const usable = kinds.filter((kind) => sheet.fieldsFor(kind, options.fields?.[kind]).length > 0)
  const faults: PlantedFault[] = []
  if (usable.length > 0) {
    const rows = shuffledBlocks(batch.rows, rng)
    let at = 0
    for (let left = Math.round(share * batch.rows), turn = 0; left > 0 && at < rows.length; turn++) {
      const kind = usable[turn % usable.length]
      const fields = sheet.fieldsFor(kind, options.fields?.[kind])
      const block = rows[at++].slice(
        0,
        Math.min(left, kind.endsWith('burst') || kind.startsWith('stuck') ? BURST : 1),
      )
      const planted = plant(kind, sheet, block, fields, rng, options)
      faults.push(...planted)
      left -= planted.length
    }
  }
  return { batch: sheet.batch(), faults: faults.sort((a, b) => a.row - b.row) }
}

/** Blocks of consecutive rows, so that a burst stays together, in random order. */
function shuffledBlocks(rows: number, rng: Random): readonly number[][] {
  const starts = rng.shuffle(Array.from({ length: Math.ceil(rows / BURST) }, (_, i) => i * BURST))
  return starts.map((from) => Array.from({ length: Math.min(BURST, rows - from) }, (_, i) => from + i))
}

function plant(
  kind: FaultKind,
  sheet: Sheet,
  rows: readonly number[],
  fields: readonly string[],
  rng: Random,
  { unitFactor = 1.609344, clockShift = 11 * 3_600_000 }: FaultOptions,
): PlantedFault[] {
  const field = fields[rng.integer(fields.length)]
  const done = (row: number, ...wrong: string[]): PlantedFault => ({ row, kind, fields: wrong })
  const row = rows[0]
  const value = sheet.value(field, row)
  switch (kind) {
    case 'unit-change':
      if (typeof value !== 'number' || value === 0 || !Number.isFinite(value)) return []
      sheet.set(field, row, sheet.rounded(field, value * unitFactor))
      return [done(row, field)]
    case 'swapped-columns': {
      const others = fields.filter((f) => f !== field && sheet.value(f, row) !== value)
      if (others.length === 0) return []
      const other = others[rng.integer(others.length)]
      sheet.set(field, row, sheet.value(other, row))
      sheet.set(other, row, value)
      return [done(row, field, other)]
    }
    case 'stuck-value':
      for (const r of rows) sheet.set(field, r, value)
      return rows.slice(1).map((r) => done(r, field))
    case 'clock-shift':
      if (!(value instanceof Date)) return []
      sheet.set(field, row, new Date(value.getTime() + clockShift))
      return [done(row, field)]
    case 'unknown-category':
      sheet.set(field, row, `?${rng.integer(2 ** 32).toString(36)}`)
      return [done(row, field)]
    case 'missing-burst':
      for (const r of rows) sheet.set(field, r, null)
      return rows.map((r) => done(r, field))
    case 'impossible-combination': {
      const foreign = sheet.foreignValue(field, row, fields, rng)
      if (foreign === undefined) return []
      sheet.set(field, row, foreign)
      return [done(row, field)]
    }
  }
}

/** An editable copy of the columns that are touched. */
class Sheet {
  readonly #batch: RecordBatch
  readonly #edited = new Map<string, unknown[]>()

  constructor(batch: RecordBatch) {
    this.#batch = batch
  }

  fieldsFor(kind: FaultKind, allowed: readonly string[] | undefined): readonly string[] {
    const names = [...this.#batch.columns.keys()].filter((name) => allowed?.includes(name) ?? true)
    const of = (...kinds: Column['kind'][]) =>
      names.filter((name) => kinds.includes(this.#batch.columns.get(name)!.kind))
    switch (kind) {
      case 'unit-change':
      case 'stuck-value':
        return of('number')
      case 'swapped-columns': {
        const pairs = [of('number'), of('string')].filter((same) => same.length >= 2)
        return pairs[0] ?? []
      }
      case 'clock-shift':
        return of('timestamp')
      case 'unknown-category':
        return of('string')
      case 'missing-burst':
        return of('number', 'string', 'boolean')
      case 'impossible-combination': {
        const categories = of('string')
        return categories.length >= 2 ? categories : of('number').length >= 2 ? of('number') : []
      }
    }
  }

  value(field: string, row: number): unknown {
    const edited = this.#edited.get(field)
    return edited === undefined ? cell(this.#batch.columns.get(field)!, row) : edited[row]
  }

  set(field: string, row: number, value: unknown): void {
    let values = this.#edited.get(field)
    if (values === undefined) {
      const column = this.#batch.columns.get(field)!
      values = Array.from({ length: this.#batch.rows }, (_, i) => cell(column, i))
      this.#edited.set(field, values)
    }
    values[row] = value
  }

  /** What an integer column would hold. */
  rounded(field: string, value: number): number {
    const column = this.#batch.columns.get(field)!
    return column.kind === 'number' && column.integer ? Math.round(value) : value
  }

  /**
   * A value that other rows have and that never comes with this row's other category; for numbers, of 16 rows the one
   * that lies farthest away.
   */
  foreignValue(field: string, row: number, fields: readonly string[], rng: Random): unknown {
    const own = this.value(field, row)
    const candidates = Array.from({ length: 16 }, () => this.value(field, rng.integer(this.#batch.rows)))
    if (typeof own === 'number') {
      const far = candidates.filter((v) => typeof v === 'number' && v !== own) as number[]
      return far.sort((a, b) => Math.abs(b - own) - Math.abs(a - own))[0]
    }
    const partner = fields.find((other) => other !== field)!
    const beside = this.value(partner, row)
    const seen = new Set<unknown>()
    const [mine, theirs] = [field, partner].map((name) => this.#batch.columns.get(name)!)
    for (let r = 0; r < this.#batch.rows; r++) if (cell(theirs, r) === beside) seen.add(cell(mine, r))
    return candidates.find((v) => typeof v === 'string' && v !== own && v !== beside && !seen.has(v))
  }

  batch(): RecordBatch {
    const columns = new Map(this.#batch.columns)
    for (const [name, values] of this.#edited) columns.set(name, columnOf(values))
    return { ...this.#batch, columns }
  }
}
