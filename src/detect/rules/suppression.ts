import { type Column, cell } from '../../core/record.ts'
import { ANOMALY, type FieldSurprise, type ScoredBatch } from '../../core/scored.ts'
import { type Calendar, type CalendarWindow, calendarOf } from './calendar.ts'

/** Equal to the value or one of them, or a number in an open range. */
export type FieldCondition =
  | string
  | number
  | boolean
  | readonly (string | number | boolean)[]
  | { readonly above?: number | undefined; readonly below?: number | undefined }

/** Flagged records that people know of and want no alert for: all of what a rule says must hold. */
export interface SuppressionRule {
  readonly name: string
  /** Conditions on the record's own fields. */
  readonly where?: Readonly<Record<string, FieldCondition>> | undefined
  readonly entity?: readonly string[] | undefined
  /** In event time; in the time of scoring where a record has none. */
  readonly calendar?: CalendarWindow | undefined
  /** The field that must be the first to blame. */
  readonly field?: string | undefined
  /** Of the first field to blame, a number: above (`up`) or below (`down`) what was expected. */
  readonly direction?: 'up' | 'down' | undefined
  /**
   * Suppresses changes of the first field to blame, a number, that are smaller than this, against what was expected: an
   * amount, or `5%` of it.
   */
  readonly minimum_change?: number | `${number}%` | undefined
}

/** The fields that rules compare. */
export function fieldsOfRules(rules: readonly SuppressionRule[]): string[] {
  return [...new Set(rules.flatMap(({ where = {} }) => Object.keys(where)))]
}

/** A rule that goes by the field to blame: it holds of no record that is not explained. */
export function blamingRule(rules: readonly SuppressionRule[]): SuppressionRule | undefined {
  return rules.find(
    ({ field, direction, minimum_change: change }) => (field ?? direction ?? change) !== undefined,
  )
}

type Test = (scored: ScoredBatch, row: number) => boolean

/** Marks flagged records that rules suppress: they keep their scores and verdicts, are counted, and raise no alert. */
export class Suppression {
  readonly #rules: readonly { readonly name: string; readonly tests: readonly Test[] }[]

  constructor(rules: readonly SuppressionRule[]) {
    this.#rules = rules.map((rule) => ({ name: rule.name, tests: testsOf(rule) }))
  }

  /** Flagged row → name of the first rule that holds. A rule about what was expected needs an attribution. */
  of(scored: ScoredBatch): ReadonlyMap<number, string> {
    const found = new Map<number, string>()
    const { verdict } = scored
    if (this.#rules.length === 0) return found
    for (let row = verdict.indexOf(ANOMALY); row >= 0; row = verdict.indexOf(ANOMALY, row + 1)) {
      const rule = this.#rules.find(({ tests }) => tests.every((holds) => holds(scored, row)))
      if (rule !== undefined) found.set(row, rule.name)
    }
    return found
  }
}

function testsOf(rule: SuppressionRule): Test[] {
  const { where = {}, entity, calendar, field, direction, minimum_change: change } = rule
  const tests: Test[] = Object.entries(where).map(
    ([name, condition]) =>
      ({ batch }, row) =>
        meets(batch.columns.get(name), row, condition),
  )
  if (entity !== undefined) {
    const known = new Set(entity)
    tests.push(({ batch }, row) => known.has(batch.entity?.[row] ?? ''))
  }
  if (calendar !== undefined) tests.push(within(calendarOf(calendar)))
  if (field !== undefined) tests.push(blamed((first) => first.field === field))
  if (direction !== undefined) tests.push(moved((by) => (direction === 'up' ? by > 0 : by < 0)))
  if (change !== undefined)
    tests.push(
      moved((by, expected) => Math.abs(by) < (typeof change === 'number' ? change : share(change, expected))),
    )
  return tests
}

function meets(column: Column | undefined, row: number, condition: FieldCondition): boolean {
  const value = column === undefined ? null : cell(column, row)
  if (Array.isArray(condition)) return condition.includes(value as string)
  if (typeof condition !== 'object') return value === condition
  const { above = Number.NEGATIVE_INFINITY, below = Number.POSITIVE_INFINITY } = condition as {
    above?: number
    below?: number
  }
  return typeof value === 'number' && value > above && value < below
}

function within(calendar: Calendar): Test {
  return ({ batch, scoredAt }, row) => {
    const time = batch.eventTime?.[row] ?? Number.NaN
    return calendar(Number.isNaN(time) ? scoredAt : time)
  }
}

function blamed(holds: (first: FieldSurprise) => boolean): Test {
  return ({ attributions }, row) => {
    const first = attributions.get(row)?.[0]
    return first !== undefined && holds(first)
  }
}

/** By how much the first field to blame departs from what was expected; never holds for a field that is no number. */
function moved(holds: (by: number, expected: number) => boolean): Test {
  return blamed(
    ({ value, expected }) =>
      typeof value === 'number' && typeof expected === 'number' && holds(value - expected, expected),
  )
}

function share(percent: `${number}%`, of: number): number {
  return (Number.parseFloat(percent) / 100) * Math.abs(of)
}
