import { CONTENT, contentIdOf } from '../../core/content-id.ts'
import type { Label, LabelledRecord } from '../../core/ports.ts'
import { idOf, type RecordBatch } from '../../core/record.ts'
import { selectRows } from '../../features/select-rows.ts'

/** What somebody said of a record, which `id` names as scores do, or by its content (`contentIdOf`). */
export type RecordLabel = Pick<LabelledRecord, 'id' | 'label'>

export interface Sorted {
  /** Neither labelled nor left out. */
  readonly unlabelled: RecordBatch
  /** Called false alarms: normal, whatever they look like. */
  readonly falseAlarms: RecordBatch
  readonly anomalies: number
}

/** What people said of records, looked up by id and by content. Of two labels of one id the later one holds. */
export class Feedback {
  readonly #labels: ReadonlyMap<string, Label>
  readonly #byContent: boolean
  readonly #fields: readonly string[] | undefined

  /** `fields`: those that content ids were made of; by default all of a record. */
  constructor(labels: readonly RecordLabel[], fields?: readonly string[]) {
    this.#labels = new Map(labels.map(({ id, label }) => [id, label]))
    this.#byContent = labels.some(({ id }) => id.startsWith(CONTENT))
    this.#fields = fields
  }

  /** undefined where nobody said anything; a label by id goes before one by content. */
  of(batch: RecordBatch, row: number): Label | undefined {
    if (this.#labels.size === 0) return undefined
    const said = this.#labels.get(idOf(batch.origin, row))
    if (said !== undefined || !this.#byContent) return said
    return this.#labels.get(contentIdOf(batch, row, this.#fields))
  }

  /** Parts a batch: labelled anomalies are left out and counted. */
  sort(batch: RecordBatch): Sorted {
    const [unlabelled, falseAlarms]: [number[], number[]] = [[], []]
    for (let row = 0; this.#labels.size > 0 && row < batch.rows; row++) {
      const label = this.of(batch, row)
      if (label === undefined) unlabelled.push(row)
      else if (label === 'false_alarm') falseAlarms.push(row)
    }
    const untouched = this.#labels.size === 0 || unlabelled.length === batch.rows
    return {
      unlabelled: untouched ? batch : selectRows(batch, unlabelled),
      falseAlarms: selectRows(batch, falseAlarms),
      anomalies: untouched ? 0 : batch.rows - unlabelled.length - falseAlarms.length,
    }
  }
}
