import type { FieldSurprise, ScoredRecord } from '../scored.ts'

/** p(x_j | x_−j): what a model expects of one field of a record, the others being what they are. */
export interface FieldDensity extends FieldSurprise {
  /** Where the record is on the curve; null where it has no number there. */
  readonly observed: number | null
  /** Of a number; null of a category, and of a number that only takes a few values. */
  readonly curve: DensityCurve | null
  /** Values with a probability of their own, most probable first: of a category, and of a number's heaps and gaps. */
  readonly levels: readonly LevelShare[]
}
export interface DensityCurve {
  /** What x counts where that is not the unit of the value: seconds since another field. */
  readonly unit: string | null
  /** Ascending. */
  readonly x: readonly number[]
  /** log p(x_j | x_−j), nats, per unit of x. Its integral is what the levels leave over. */
  readonly log_density: readonly number[]
}
export interface LevelShare {
  /** null: missing. */
  readonly value: string | number | boolean | null
  readonly probability: number
  readonly observed: boolean
}

export interface RecordDensities {
  readonly model_version: number
  /**
   * log p of the record as its stored score tells it, nats in raw units. It differs from the stored log_prob where
   * something was assumed, and where the model's clock is another time than the stored event time.
   */
  readonly log_prob: number
  /** Fields whose values a stored score does not hold (context, masked): they are taken as missing. */
  readonly assumed: readonly string[]
  /** Most surprising first. */
  readonly fields: readonly FieldDensity[]
}

/** A model version that is asked about the records that it has scored and explained. */
export interface Examiner {
  densities(record: ScoredRecord): Promise<RecordDensities>
}
