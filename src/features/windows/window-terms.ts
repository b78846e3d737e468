import { SurprisalError } from '../../core/errors.ts'
import { spanMs } from './span.ts'
import type { WindowExtent, WindowField, WindowStatistic } from './window-spec.ts'

/** One term of a field's windows, as people write it. */
export const TERM =
  /^\s*(?:(lag|difference)\s+(\d+)|(mean|std|min|max)\s+(\d+[smhdw]?)|season\s+(\d+[smhdw])(?:\/(\d+))?)\s*$/

const SLOTS = 24

/**
 * A field's windows from terms: `lag 1`, `difference 1`, `mean 12` (records), `std 1h` (time), `season 1d/96` (the same
 * quarter hour yesterday; 24 slots where none are given). Throws CONFIG_INVALID for anything else.
 */
export function windowField(field: string, terms: readonly string[]): WindowField {
  const lags: number[] = []
  const differences: number[] = []
  const seasonal: { period: number; slots: number }[] = []
  const rolling = new Map<string, WindowExtent & { statistics: WindowStatistic[] }>()
  for (const term of terms) {
    const match = TERM.exec(term)
    if (match === null)
      throw new SurprisalError(
        'CONFIG_INVALID',
        `windows of "${field}": "${term}" is none of lag K, difference K, mean|std|min|max N (records, or a time such as 1h), season 1d or season 1d/96`,
      )
    const [, shift, k, statistic, extent, period, slots] = match
    if (shift === 'lag') lags.push(Number(k))
    else if (shift === 'difference') differences.push(Number(k))
    else if (statistic === undefined)
      seasonal.push({ period: spanMs(period), slots: slots === undefined ? SLOTS : Number(slots) })
    else {
      const known = rolling.get(extent) ?? { ...extentOf(extent), statistics: [] }
      rolling.set(extent, known)
      known.statistics.push(statistic as WindowStatistic)
    }
  }
  return {
    field,
    ...(lags.length > 0 && { lags }),
    ...(differences.length > 0 && { differences }),
    ...(rolling.size > 0 && { rolling: [...rolling.values()] }),
    ...(seasonal.length > 0 && { seasonal }),
  }
}

/** Fields' windows from `FIELD[,FIELD…]: TERM, TERM`. Throws CONFIG_INVALID. */
export function windowFields(text: string): WindowField[] {
  const [, fields, terms] = /^(.+?):(.+)$/.exec(text) ?? []
  if (fields === undefined)
    throw new SurprisalError(
      'CONFIG_INVALID',
      `window "${text}" is not FIELD: TERM, TERM, such as cpu: mean 12`,
    )
  return fields.split(',').map((field) => windowField(field.trim(), terms.split(',')))
}

function extentOf(text: string): WindowExtent {
  return /^\d+$/.test(text) ? { size: Number(text) } : { span: spanMs(text) }
}
