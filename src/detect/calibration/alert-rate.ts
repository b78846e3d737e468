import { SurprisalError } from '../../core/errors.ts'

/** Nominal false alarms: a share of normal records, or a budget such as `20/day`. */
export interface AlertOptions {
  readonly rate?: number
  readonly budget?: string
}
export const DEFAULT_RATE = 0.001

const PERIODS_PER_DAY = { hour: 24, day: 1, week: 1 / 7 } as const

/**
 * The rate that options mean, records being expected at `recordsPerDay` (null where the data has no times):
 * rate = budgeted alarms per day / records per day, at most 0.5. USAGE where it cannot be told.
 */
export function alertRate(options: AlertOptions, recordsPerDay: number | null): number {
  const { rate, budget } = options
  if (rate !== undefined && budget !== undefined) {
    throw new SurprisalError('USAGE', `both a rate (${rate}) and a budget (${budget}) are given: give one`)
  }
  if (budget !== undefined) return rateOfBudget(budget, recordsPerDay)
  const chosen = rate ?? DEFAULT_RATE
  if (!(chosen > 0 && chosen <= 0.5)) {
    throw new SurprisalError(
      'USAGE',
      `the alert rate is ${chosen}; it is a share of normal records, above 0 and at most 0.5, for example 0.001`,
    )
  }
  return chosen
}

function rateOfBudget(budget: string, recordsPerDay: number | null): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*\/\s*(hour|day|week)\s*$/.exec(budget)
  const alarms = match === null ? Number.NaN : Number(match[1])
  if (match === null || !(alarms > 0)) {
    throw new SurprisalError('USAGE', `the alert budget "${budget}" is not like 20/day (or /hour, /week)`)
  }
  if (recordsPerDay === null) {
    throw new SurprisalError(
      'USAGE',
      `the alert budget "${budget}" needs to know how many records come per day, and the training data has no event time: name a time column, or give a rate`,
    )
  }
  return Math.min(0.5, (alarms * PERIODS_PER_DAY[match[2] as keyof typeof PERIODS_PER_DAY]) / recordsPerDay)
}
