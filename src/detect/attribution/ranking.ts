import type { FieldSurprise } from '../../core/scored.ts'

/** Fields whose surprises differ by less are equally to blame, nats. */
const TIE = 1

/** A field's surprise, and how probable the record would be without the field. */
export interface Judged {
  readonly surprise: FieldSurprise
  /** log p(x_−j) + log of the density of a wrong x_j, uniform over the levels or the range; nats. */
  readonly logFaulty: number
}

/** Most surprising first; of those that tie with the first or lie beyond `never`, the one that is most probably wrong. */
export function ranked(found: readonly Judged[], never: number): FieldSurprise[] {
  const top = found.reduce((most, { surprise }) => Math.max(most, surprise.surprise_nats), 0)
  const ties = ({ surprise }: Judged) => surprise.surprise_nats > Math.min(top - TIE, never)
  const order = [...found].sort(
    (a, b) =>
      (ties(a) && ties(b) && a.logFaulty !== b.logFaulty ? b.logFaulty - a.logFaulty : 0) ||
      b.surprise.surprise_nats - a.surprise.surprise_nats ||
      (a.surprise.field < b.surprise.field ? -1 : 1),
  )
  return order.map(({ surprise }) => surprise)
}
