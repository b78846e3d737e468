import { SurprisalError } from '../../core/errors.ts'
import { ownColumns, type RecordBatch } from '../../core/record.ts'
import type { ColumnOverride } from '../profile/profile.ts'
import { profileColumns } from '../profile/profile.ts'
import { StreamWindows } from './stream-windows.ts'
import { addedColumns, type WindowSpec } from './window-spec.ts'

/** What a user asks for; the time and the entity are found where they are not named. */
export type WindowOptions = Omit<Partial<WindowSpec>, 'time' | 'entity'>

/**
 * The windows of a stream that begins with `first`: those asked for, and the stream's clock unless it is turned off.
 * The time is `time`, else the first column of times, else the batches' event time. undefined where nothing looks back.
 * Throws CONFIG_INVALID where windows read a column that is not there, or need a time that is not.
 */
export function planWindows(
  first: RecordBatch,
  options: WindowOptions,
  named: NamedColumns,
): WindowSpec | undefined {
  const { fields = [], sincePrevious = false, clock = true, ...limits } = options
  const { columns, eventTime } = first
  const time = timeColumn(first, named)
  const timed = time !== undefined || eventTime !== undefined
  for (const { field } of fields)
    if (!columns.has(field))
      throw new SurprisalError(
        'CONFIG_INVALID',
        `windows look back on "${field}", which is missing; the data has: ${[...columns.keys()].join(', ')}`,
      )
  if (sincePrevious && !timed)
    throw new SurprisalError(
      'CONFIG_INVALID',
      'windows: the time since the previous record needs a column of times',
    )
  if (fields.length === 0 && !sincePrevious && !(clock && timed)) return undefined
  const { entity } = named
  return {
    fields,
    ...(sincePrevious && { sincePrevious }),
    ...(clock && timed && { clock }),
    ...(time !== undefined && { time }),
    ...(entity !== undefined && columns.has(entity) && { entity }),
    ...limits,
  }
}

/** Columns that the user names. */
export interface NamedColumns {
  readonly time?: string
  readonly entity?: string
  readonly ignore?: readonly string[]
}

/** Windows along a stream that is yet to come: its first batch decides. */
export class PlannedWindows {
  readonly #options: WindowOptions
  readonly #named: NamedColumns
  #begun = false
  #spec: WindowSpec | undefined
  #stream: StreamWindows | undefined

  constructor(options: WindowOptions | undefined, named: NamedColumns) {
    this.#options = options ?? {}
    this.#named = named
  }

  get spec(): WindowSpec | undefined {
    return this.#spec
  }

  /** The look-back's; undefined where nothing looks back. */
  get id(): string | undefined {
    return this.#stream?.id
  }

  /** The columns of time and entity, as far as a batch has them; after the first append. */
  named({ columns }: RecordBatch): Pick<NamedColumns, 'time' | 'entity'> {
    const time = this.#spec?.time ?? this.#named.time
    const { entity } = this.#named
    return {
      ...(time !== undefined && columns.has(time) && { time }),
      ...(entity !== undefined && columns.has(entity) && { entity }),
    }
  }

  append(batch: RecordBatch): RecordBatch {
    if (!this.#begun && batch.rows > 0) {
      this.#begun = true
      this.#spec = planWindows(ownColumns(batch), this.#options, this.#named)
      this.#stream = this.#spec && new StreamWindows(this.#spec)
    }
    return this.#stream?.append(batch) ?? batch
  }
}

/** How the encoder takes the columns that windows add: the past conditions, what the record did is modelled. */
export function windowOverrides(spec: WindowSpec): Record<string, ColumnOverride> {
  return Object.fromEntries(
    addedColumns(spec).map(({ name, context, factor, level }) => [
      name,
      { window: factor !== 0 ? 'own' : level ? 'level' : 'past', ...(context && { context }) },
    ]),
  )
}

function timeColumn(first: RecordBatch, { time, ignore = [] }: NamedColumns): string | undefined {
  if (time !== undefined) return first.columns.has(time) ? time : undefined
  return profileColumns([first]).find(({ field, kind }) => kind === 'timestamp' && !ignore.includes(field))
    ?.field
}
