import { createHash } from 'node:crypto'
import type { LookBack, Scorer } from '../../core/ports.ts'
import { type Column, isValid, ownColumns, type RecordBatch } from '../../core/record.ts'
import { addedColumns, reachOf, type WindowSpec } from './window-spec.ts'
import { eventTimes, finiteValues, Windows, withHoles } from './windows.ts'

/**
 * Windows along a stream of batches. Each partition of a topic is a stream of its own, whose order is certain; all else
 * that a process reads, one file after the other, is one stream.
 */
export class StreamWindows implements LookBack {
  readonly id: string
  readonly #spec: WindowSpec
  readonly #mark: NonNullable<RecordBatch['windows']>
  readonly #streams = new Map<string, Windows>()

  /** Throws CONFIG_INVALID for a spec out of range. */
  constructor(spec: WindowSpec) {
    this.#spec = spec
    this.id = createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 16)
    this.#mark = { id: this.id, columns: addedColumns(spec).map(({ name }) => name) }
    this.#streams.set('', new Windows(spec))
  }

  append(batch: RecordBatch): RecordBatch {
    if (batch.windows?.id === this.id || batch.rows === 0) return batch
    const own = ownColumns(batch)
    const known = batch.beside?.get(this.id)
    if (known !== undefined)
      return { ...own, columns: new Map([...own.columns, ...known]), windows: this.#mark }
    const key = streamOf(batch)
    let windows = this.#streams.get(key)
    if (windows === undefined) {
      windows = new Windows(this.#spec)
      this.#streams.set(key, windows)
    }
    return { ...windows.append(own), windows: this.#mark }
  }

  reach({ entity }: RecordBatch): number {
    return reachOf(this.#spec, entity !== undefined)
  }

  forget(stream: string): void {
    this.#streams.delete(stream)
  }

  vary(appended: RecordBatch, changed: RecordBatch): RecordBatch {
    const columns = new Map(changed.columns)
    for (const { name, source, factor } of addedColumns(this.#spec)) {
      const column = appended.columns.get(name)
      if (column === undefined) continue
      columns.set(name, factor === 0 ? column : moved(column, appended, changed, source, factor))
    }
    return { ...changed, columns, windows: this.#mark }
  }
}

/** The batch with what another look-back along its stream says of it, apart from its columns. */
export function withBeside(batch: RecordBatch, lookBack: LookBack): RecordBatch {
  const { columns, windows } = lookBack.append(ownColumns(batch))
  const added = (windows?.columns ?? []).flatMap((name) => {
    const column = columns.get(name)
    return column === undefined ? [] : [[name, column] as const]
  })
  return { ...batch, beside: new Map(batch.beside).set(lookBack.id, new Map(added)) }
}

/** What a scorer looks back on is in the batches, or it looks back on nothing. */
export function knowsPast({ lookBack }: Pick<Scorer, 'lookBack'>, batches: readonly RecordBatch[]): boolean {
  const id = lookBack?.().id
  return (
    id === undefined || batches.every(({ windows, beside }) => windows?.id === id || beside?.has(id) === true)
  )
}

/** The stream that a batch belongs to. */
export function streamOf({ origin }: RecordBatch): string {
  return origin.topic === undefined ? '' : origin.prefix
}

function moved(
  column: Column,
  before: RecordBatch,
  after: RecordBatch,
  source: string | null,
  factor: number,
): Column {
  const read = (batch: RecordBatch) =>
    factor === 1 && source !== null ? finiteValues(batch, source) : eventTimes(batch, source ?? undefined)
  const [from, to] = [read(before), read(after)]
  if (column.kind !== 'number' || from === undefined || to === undefined) return column
  const { validity } = column
  return withHoles(
    Float64Array.from(column.values, (value, row) =>
      isValid(validity, row) ? value + factor * (to[row] - from[row]) : Number.NaN,
    ),
  )
}
