import { z } from 'zod'
import type { FlowSpec } from '../../core/flow-spec.ts'
import type { EncoderState } from '../../features/encoder-state.ts'
import type { ViewSpec } from '../../features/view-spec.ts'
import type { WindowSpec } from '../../features/windows/window-spec.ts'
import type { StrataState } from '../calibration/strata.ts'
import type { DriftReference } from '../drift/drift-reference.ts'
import type { Habits } from '../entities/habits.ts'

/** The newest format that this program writes and reads. */
export const FORMAT_VERSION = 1

const count = z.int().min(0)
const finite = z.number()

const view = z.object({
  name: z.string(),
  dims: z
    .array(
      z.object({
        from: z.enum(['numeric', 'joint']),
        column: count,
        gaussian: finite,
        uniform: finite,
        standard: z.object({ mean: finite, deviation: finite.positive() }).exactOptional(),
        anchor: count.exactOptional(),
      }),
    )
    .readonly(),
  contextFloats: count,
  binary: z.array(count).readonly(),
  anchors: z.array(count).readonly(),
  embedded: z
    .array(z.object({ column: count, pooledFrom: count.exactOptional(), levels: count, width: count }))
    .readonly(),
}) satisfies z.ZodType<ViewSpec>

const strata = z
  .array(z.object({ key: z.string(), records: count, centre: finite, spread: finite.positive() }))
  .readonly()

const member = z.object({
  /** What of the encoded record the flow models. */
  view,
  /** null where the view has no dimension, or with `mixture`. Checked by the flow's own rules when the weights are read. */
  flow: z.custom<FlowSpec | null>((value) => typeof value === 'object'),
  /** The member is a Gaussian mixture over the view instead, which judges a record by its weakest field. */
  mixture: z.literal(true).exactOptional(),
  /** Of the log densities of held-out normal records, nats. */
  median: finite,
  iqr: finite.positive(),
  held_out_nll: finite.nullable(),
})

/** What a model file says about itself: plain JSON beside the tensors. */
export const manifestSchema = z.object({
  format: z.literal(FORMAT_VERSION),
  surprisal: z.string(),
  created_at: z.iso.datetime(),
  architecture: z.enum(['real-nvp', 'glow']),
  /** What trained it. */
  engine: z.string(),
  /** `from version N: …` where flows went on from those of an earlier model, `fresh: …` with the reason where not. */
  warm_start: z.string().exactOptional(),
  /** Model versions with the same base measure have comparable log_prob. */
  measure: z.string(),
  /** Every column of the training data and what became of it. */
  fields: z.array(
    z.object({
      field: z.string(),
      kind: z.string(),
      role: z.enum(['modelled', 'context', 'watched', 'ignored']),
      why: z.string(),
      learned: z.string(),
    }),
  ),
  encoder: z.custom<EncoderState>((value) => typeof value === 'object' && value !== null),
  /** What of the stream's past the model looks back on; absent where it looks at each record by itself. */
  windows: z.custom<WindowSpec>((value) => typeof value === 'object' && value !== null).exactOptional(),
  /** How entities behave over time; absent where the training data did not come in order. */
  habits: z.custom<Habits>((value) => typeof value === 'object' && value !== null).exactOptional(),
  members: z.array(member).min(1),
  calibration: z.object({
    method: z.enum(['split', 'cross-conformal']),
    records: count,
    floor: finite.positive(),
    tail: z.object({
      threshold: finite,
      mass: finite.positive(),
      shape: finite,
      scale: finite.positive(),
      exceedances: count.min(1),
    }),
    /** What makes the surprisals of unlike records comparable; absent where all are alike. */
    strata: z
      .object({ centre: finite, spread: finite.positive(), missing: strata, entities: strata })
      .exactOptional() satisfies z.ZodType<StrataState | undefined>,
  }),
  alerts: z.object({
    rate: finite.positive().max(0.5),
    budget: z.string().nullable(),
    records_per_day: finite.positive().nullable(),
  }),
  /** What the fields looked like, for drift. */
  drift: z.object({
    block: count.min(1),
    stride: count.min(1),
    fields: z
      .array(
        z.object({
          field: z.string(),
          binning: z.discriminatedUnion('kind', [
            z.object({ kind: z.literal('numeric'), edges: z.array(finite).readonly() }),
            z.object({ kind: z.literal('category'), levels: z.array(z.string()).readonly() }),
          ]),
          shares: z.array(finite.positive()).readonly(),
          designEffect: finite.min(1),
        }),
      )
      .readonly(),
    pValueDesignEffect: finite.min(1).exactOptional(),
  }) satisfies z.ZodType<DriftReference>,
  lineage: z.object({
    source: z.string().nullable(),
    /** Records offered, records learned from, records that could not be encoded. */
    records: count,
    /** Of the records offered, those that people had called anomalies (left out) and false alarms (kept). */
    labelled: z.object({ anomalies: count, false_alarms: count }).exactOptional(),
    used: count,
    unscored: count,
    parts: z.object({ fit: count, stop: count, calibrate: count, gate: count }),
    first_time: z.iso.datetime().nullable(),
    last_time: z.iso.datetime().nullable(),
    /** The latest record that taught the flows, and the latest that they were chosen by; where all have times. */
    fit_until: z.iso.datetime().nullable().exactOptional(),
    stop_until: z.iso.datetime().nullable().exactOptional(),
    /** SHA-256 of the encoded records learned from. */
    sha256: z.string(),
    seed: z.int(),
    contamination: finite.min(0).max(0.5),
  }),
  metrics: z.object({
    /** Mean −log_prob in raw units on the gate part (null where there is none), nats per record. */
    gate_nll: finite.nullable(),
    /** Share of the gate part with p ≤ rate. */
    gate_rate: finite.nullable(),
    seconds: finite,
  }),
  notes: z.array(z.string()),
})
export type Manifest = z.infer<typeof manifestSchema>
