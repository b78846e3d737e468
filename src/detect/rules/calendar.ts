import { Cron } from 'croner'
import { messageOf, SurprisalError } from '../../core/errors.ts'

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export type Weekday = (typeof WEEKDAYS)[number]

/** Times that come again. What is left out does not restrict; a window over midnight belongs to the day it begins on. */
export interface CalendarWindow {
  readonly weekdays?: readonly Weekday[] | undefined
  /** `HH:MM`, from inclusive, to exclusive. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  /** Minutes that match a cron expression (croner's syntax). */
  readonly cron?: string | undefined
  /** IANA name. Default UTC. */
  readonly timezone?: string | undefined
}

/** Whether a time, epoch milliseconds, lies in the window. */
export type Calendar = (time: number) => boolean

const DAY = 24 * 60

/** @throws SurprisalError CONFIG_INVALID for what is no cron expression */
export function calendarOf(window: CalendarWindow): Calendar {
  const { weekdays, from, to, cron, timezone = 'UTC' } = window
  const matches = cron === undefined ? () => true : cronOf(cron, timezone)
  const [start, end] = [minutesOf(from ?? '00:00'), to === undefined ? DAY : minutesOf(to)]
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  const days = new Set<string>(weekdays ?? WEEKDAYS)
  return (time) => {
    if (!matches(time)) return false
    const parts = new Map(clock.formatToParts(time).map(({ type, value }) => [type, value]))
    const day = WEEKDAYS.indexOf((parts.get('weekday') ?? '').toLowerCase() as Weekday)
    const minute = Number(parts.get('hour')) * 60 + Number(parts.get('minute'))
    if (start < end) return minute >= start && minute < end && days.has(WEEKDAYS[day])
    if (minute >= start) return days.has(WEEKDAYS[day])
    return minute < end && days.has(WEEKDAYS[(day + 6) % 7])
  }
}

function cronOf(expression: string, timezone: string): Calendar {
  try {
    const cron = new Cron(expression, { timezone, paused: true })
    return (time) => cron.match(new Date(Math.floor(time / 60_000) * 60_000))
  } catch (cause) {
    throw new SurprisalError(
      'CONFIG_INVALID',
      `"${expression}" is no cron expression, such as * 2-4 * * 1-5: ${messageOf(cause)}`,
      { cause },
    )
  }
}

function minutesOf(text: string): number {
  const [hours, minutes] = text.split(':').map(Number)
  return hours * 60 + minutes
}
