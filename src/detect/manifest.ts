import { z } from 'zod'
import type { FlowSpec } from '../core/flow-spec.ts'

/** The newest format that this program writes and reads. */
export const FORMAT_VERSION = 1

const count = z.int().min(0)
const finite = z.number()

const member = z.object({
  /** Which view of the encoded record the flow models. */
  view: z.enum(['exact', 'joint']),
  /** Checked by the flow's own rules when the weights are read. */
  flow: z.custom<FlowSpec>((value) => typeof value === 'object' && value !== null),
  /** Of the log densities of held-out normal records, nats. */
  median: finite,
  iqr: finite.positive(),
  held_out_nll: finite,
})

/** What a model file says about itself: plain JSON beside the tensors. */
export const manifestSchema = z.object({
  format: z.literal(FORMAT_VERSION),
  surprisal: z.string(),
  created_at: z.iso.datetime(),
  architecture: z.enum(['real-nvp', 'glow']),
  /** What trained it. */
  engine: z.string(),
  /** Model versions with the same base measure have comparable log_prob. */
  measure: z.string(),
  /** Every column of the training data and what became of it. */
  fields: z.array(z.object({ field: z.string(), kind: z.string(), why: z.string() })),
  encoder: z.unknown(),
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
  }),
  alerts: z.object({
    rate: finite.positive().max(0.5),
    budget: z.string().nullable(),
    records_per_day: finite.positive().nullable(),
  }),
  lineage: z.object({
    source: z.string().nullable(),
    /** Records offered, records learned from, records that could not be encoded. */
    records: count,
    used: count,
    unscored: count,
    parts: z.object({ fit: count, stop: count, calibrate: count, gate: count }),
    first_time: z.iso.datetime().nullable(),
    last_time: z.iso.datetime().nullable(),
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
