import type { KafkaMessage } from 'kafkajs'
import type { Column } from '../../../src/core/record.ts'
import { FetchedRecord } from '../wire/fetched-record.ts'
import type { ColumnBuilder } from './column-builder.ts'
import { ColumnCells } from './column-cells.ts'
import { FlatReader, flatKeys } from './flat-record.ts'

/** After a slice of another shape so many are not tried, twice as many each time. */
const MOST_PASSED = 64

export interface FlatColumns {
  readonly columns: Map<string, Column>
  /** Of keys that are no columns and were asked for. */
  readonly others: ReadonlyMap<string, Column>
}

/**
 * Columns of slices whose records are JSON objects of one flat shape, that of the record before. Parsing into objects
 * and reading these field by field takes four times as long.
 */
export class FlatDecoder {
  private readonly builder: ColumnBuilder
  private readonly wanted: readonly string[]
  private readonly limit: number
  private keys: readonly string[] | undefined
  private passed = 0
  private pass = 1

  /** @param wanted keys to read whether they are columns or not. @param limit bytes of a value. */
  constructor(builder: ColumnBuilder, wanted: readonly string[], limit: number) {
    this.builder = builder
    this.wanted = wanted
    this.limit = limit
  }

  /** Undefined where any message has another shape: each is to be decoded by itself then. */
  read(messages: readonly KafkaMessage[]): FlatColumns | undefined {
    const { keys } = this
    if (keys === undefined) return undefined
    if (this.passed > 0) {
      this.passed--
      return undefined
    }
    const rows = messages.length
    const cells = this.builder.begin(rows)
    const others = new Map<string, ColumnCells>()
    let row = 0
    const takers = keys.map((key) => {
      const own = this.builder.cellsOf(key, cells, rows)
      if (own === undefined && !this.wanted.includes(key)) return undefined
      const target = own ?? new ColumnCells(rows)
      if (own === undefined) others.set(key, target)
      return (value: number | string | boolean | null) => target.set(row, value)
    })
    const reader = new FlatReader(keys, takers)
    for (; row < rows; row++) if (!this.readOne(reader, messages[row])) return this.miss()
    this.pass = 1
    return { columns: this.builder.end(cells), others: this.builder.end(others) }
  }

  /** Takes the shape of a decoded record for that of those to come. */
  learn(value: unknown): void {
    this.keys = flatKeys(value)
  }

  private readOne(reader: FlatReader, message: KafkaMessage): boolean {
    if (message instanceof FetchedRecord) {
      const { bytes, valueAt, valueSize } = message
      return valueSize >= 0 && valueSize <= this.limit && reader.read(bytes, valueAt, valueAt + valueSize)
    }
    const { value } = message
    return value !== null && value.length <= this.limit && reader.read(value, 0, value.length)
  }

  private miss(): undefined {
    this.passed = this.pass
    this.pass = Math.min(MOST_PASSED, 2 * this.pass)
    return undefined
  }
}
