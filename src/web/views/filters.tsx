import { SEVERITIES } from '../../core/scored.ts'
import type { LiveState } from '../live.ts'
import { setQuery, usePlace } from '../router.ts'

/** Ranges that end now, in milliseconds. */
export const RANGES: Readonly<Record<string, number>> = {
  '5m': 300_000,
  '15m': 900_000,
  '1h': 3_600_000,
  '6h': 21_600_000,
  '24h': 86_400_000,
  '7d': 604_800_000,
}
const STATE_TEXT: Readonly<Record<LiveState, string>> = {
  live: 'streaming',
  connecting: 'connecting',
}
/** What `suppressed` asks for. */
const SUPPRESSED: Readonly<Record<string, string>> = { '': 'shown', false: 'hidden', true: 'alone' }

export interface Filters {
  /** Epoch milliseconds; undefined to means now. */
  readonly from: number
  readonly to: number | undefined
  readonly range: string | undefined
  readonly severity: string
  /** Flagged records that a rule suppresses: with the others (''), left out ('false') or alone ('true'). */
  readonly suppressed: string
  readonly entity: string
  readonly order: 'time' | 'score'
  readonly live: boolean
}

/** What the address asks to see. A fixed from and to, made by zooming, stands before a range. */
export function useFilters(now: number): Filters {
  const { query } = usePlace()
  const [from, to] = [Number(query.get('from')), Number(query.get('to'))]
  const fixed = from > 0 && to > from
  const range = Object.hasOwn(RANGES, query.get('range') ?? '') ? (query.get('range') ?? '15m') : '15m'
  return {
    from: fixed ? from : now - RANGES[range],
    to: fixed ? to : undefined,
    range: fixed ? undefined : range,
    severity: query.get('severity') ?? '',
    suppressed: Object.hasOwn(SUPPRESSED, query.get('suppressed') ?? '')
      ? (query.get('suppressed') ?? '')
      : '',
    entity: query.get('entity') ?? '',
    order: query.get('order') === 'score' ? 'score' : 'time',
    live: !fixed && query.get('live') !== '0',
  }
}

export function FilterBar({ filters, state }: { filters: Filters; state: LiveState }) {
  return (
    <form class="filters" onSubmit={(event) => event.preventDefault()} aria-label="Filters">
      <fieldset class="segments">
        <legend class="unseen">Time range</legend>
        {Object.keys(RANGES).map((range) => (
          <button
            key={range}
            type="button"
            aria-pressed={filters.range === range}
            onClick={() => setQuery({ range, from: null, to: null })}
          >
            {range}
          </button>
        ))}
        {filters.range === undefined && (
          <button type="button" aria-pressed={true} onClick={() => setQuery({ from: null, to: null })}>
            zoomed <span aria-hidden="true">×</span>
            <span class="unseen">, reset</span>
          </button>
        )}
      </fieldset>
      <label>
        Severity
        <select
          value={filters.severity}
          onChange={(event) => setQuery({ severity: event.currentTarget.value })}
        >
          <option value="">all</option>
          {SEVERITIES.map((severity, i) => (
            <option key={severity} value={SEVERITIES.slice(i).join(',')}>
              {severity === 'critical' ? severity : `${severity} and up`}
            </option>
          ))}
        </select>
      </label>
      <label>
        Suppressed
        <select
          value={filters.suppressed}
          onChange={(event) => setQuery({ suppressed: event.currentTarget.value })}
        >
          {['', 'false', 'true'].map((value) => (
            <option key={value} value={value}>
              {SUPPRESSED[value]}
            </option>
          ))}
        </select>
      </label>
      <label>
        Entity
        <input
          value={filters.entity}
          placeholder="any"
          onChange={(event) => setQuery({ entity: event.currentTarget.value.trim() })}
        />
      </label>
      <label>
        Order
        <select value={filters.order} onChange={(event) => setQuery({ order: event.currentTarget.value })}>
          <option value="time">newest first</option>
          <option value="score">most surprising first</option>
        </select>
      </label>
      <label class="switch">
        <input
          type="checkbox"
          checked={filters.live}
          disabled={filters.range === undefined}
          onChange={(event) => setQuery({ live: event.currentTarget.checked ? null : '0' })}
        />
        Live <span class="quiet">{filters.live ? STATE_TEXT[state] : 'paused'}</span>
      </label>
    </form>
  )
}
