import type { ModelVersion } from '../core/ports.ts'
import { clock, compact, day, nats } from './format.ts'

export interface SummaryText {
  readonly kind: string
  /** From which version its flows went on, or why from none. */
  readonly start: string | undefined
  readonly nll: string
  readonly records: string
  readonly window: string | undefined
  readonly decision: string
}

/** What a version's summary says, in words; a summary is free-form, so everything in it may be absent. */
export function summaryOf({ summary }: ModelVersion): SummaryText {
  const window = object(summary.window)
  const metrics = object(summary.metrics)
  const records =
    number(window.fit) ?? number(window.records) ?? number(window.kept) ?? number(summary.records)
  const [from, to] = [text(window.from), text(window.to)]
  return {
    kind: text(summary.architecture) ?? '–',
    start: text(summary.warm_start),
    nll: nats(summary.held_out_nll ?? summary.nll ?? metrics.gate_nll ?? metrics.held_out_nll),
    records: records === undefined ? '–' : `${compact(records)} records`,
    window: from && to ? windowText(from, to) : undefined,
    decision: text(summary.decision) ?? (summary.promoted === true ? 'passed' : '–'),
  }
}

function windowText(from: string, to: string): string {
  return day(from) === day(to) ? `${clock(from)} to ${clock(to)}` : `${day(from)} to ${day(to)}`
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
