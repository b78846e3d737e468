import { random } from '../src/core/random.ts'

export const FIELDS: readonly string[] = Array.from({ length: 16 }, (_, c) => `f${c}`)
export const AVRO_SCHEMA = {
  type: 'record',
  name: 'Reading',
  fields: FIELDS.map((name) => ({ name, type: 'double' })),
} as const

const { normal } = random(1)

/** Correlated numbers with six digits, as sensors and services send them. */
export function reading(): Record<string, number> {
  const common = normal()
  return Object.fromEntries(
    FIELDS.map((name, c) => [name, Math.round(1e6 * ((c % 3) * common + normal())) / 1e6]),
  )
}
