import { z } from 'zod'
import { calendarOf, WEEKDAYS } from '../src/detect/rules/calendar.ts'
import type { SuppressionRule } from '../src/detect/rules/suppression.ts'
import { isTimeZone } from './time-zone.ts'

const value = z.union([z.string(), z.number(), z.boolean()])
const clock = z.string().regex(/^([01]\d|2[0-4]):[0-5]\d$/, 'a time of day such as 22:30')

const calendar = z
  .strictObject({
    weekdays: z.array(z.enum(WEEKDAYS)).min(1).optional(),
    from: clock.optional().describe('From this time of day.'),
    to: clock.optional().describe('Until before this time of day; before `from` it is the next day’s.'),
    cron: z.string().min(1).optional().describe('Minutes that match a cron expression.'),
    timezone: z.string().refine(isTimeZone, 'an IANA time zone such as Europe/Berlin').default('UTC'),
  })
  .superRefine((window, context) => {
    try {
      calendarOf(window)
    } catch (error) {
      context.addIssue({ code: 'custom', path: ['cron'], message: String((error as Error).message) })
    }
  })

/** `alerts.suppress:` flagged records that people know of. */
export const suppressionRule = z
  .strictObject({
    name: z.string().min(1).max(100).describe('What suppressed records are marked with.'),
    where: z
      .record(
        z.string().min(1),
        z.union([
          value,
          z.array(value).min(1),
          z.strictObject({ above: z.number().optional(), below: z.number().optional() }),
        ]),
      )
      .optional()
      .describe('Fields with a value, one of several, or a number above or below.'),
    entity: z.array(z.string()).min(1).optional().describe('Entities, by name.'),
    calendar: calendar.optional().describe('When, by event time.'),
    field: z.string().min(1).optional().describe('The first field to blame.'),
    direction: z
      .enum(['up', 'down'])
      .optional()
      .describe('The first field to blame is above or below what was expected.'),
    minimum_change: z
      .union([z.number().positive(), z.templateLiteral([z.number().positive(), '%'])])
      .optional()
      .describe('The first field to blame departs by less than this from what was expected: 3, or 5%.'),
  })
  .refine((rule) => Object.keys(rule).length > 1, 'a rule without a condition would suppress every alert')
  .transform((rule): SuppressionRule => rule)
