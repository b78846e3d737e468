import type { FieldDensity, LevelShare } from '../../core/ports.ts'
import { cell, type RecordBatch } from '../../core/record.ts'
import type { FieldSurprise } from '../../core/scored.ts'
import { logSlope } from '../../features/columns/scaling.ts'
import type { EncodedBatch, Level } from '../../features/encoded.ts'
import type { FeatureEncoder } from '../../features/encoder.ts'
import { Attribution } from './attribution.ts'
import { logDensityAt, summariseLine } from './line.ts'
import {
  type Alternatives,
  type ExactDensity,
  logSum,
  type Sketch,
  STATE_PRESENT,
  Variations,
} from './variations.ts'

/** Of a category, and the own level whatever its place. */
const MOST_LEVELS = 24
/** Points evenly over what is shown, and as many over the bulk alone, beside those the line is made of. */
const EVEN = 60
/** The bulk is shown with this share of its width on either side. */
const MARGIN = 0.7

/** The conditional density of each field of a record: what attribution judges by, to be drawn. */
export class Conditionals {
  readonly #encoder: FeatureEncoder
  readonly #variations: Variations
  readonly #attribution: Attribution
  readonly #redacted: ReadonlySet<string>

  constructor(encoder: FeatureEncoder, density: ExactDensity, redact: readonly string[]) {
    this.#encoder = encoder
    this.#variations = new Variations(encoder, density)
    this.#attribution = new Attribution(encoder, density, redact)
    this.#redacted = new Set(redact)
  }

  /** Of the first record of a batch, its most surprising field first; nothing is drawn of a masked field. */
  of(batch: RecordBatch, encoded: EncodedBatch): FieldDensity[] {
    const [surprises] = this.#attribution.explain(batch, encoded)
    const [sketches] = this.#variations.sketches(encoded, [0])
    const [alternatives] = this.#variations.alternatives(encoded, [0])
    const { discrete } = this.#encoder.layout
    return surprises.map((surprise) => {
      const { field } = surprise
      const own = cell(batch.columns.get(field)!, 0) as Level
      if (this.#redacted.has(field)) return { ...surprise, observed: null, curve: null, levels: [] }
      const sketch = sketches.get(field)
      const column = discrete.findIndex((one, k) => one.field === field && alternatives[k] !== undefined)
      const asked = alternatives[column]
      if (asked === undefined)
        return sketch === undefined
          ? this.#constant(surprise)
          : {
              ...surprise,
              ...this.#curve(field, sketch, 0),
              observed: this.#at(sketch, field, own),
              levels: [],
            }
      const masses = asked.logMass.slice()
      if (sketch !== undefined) masses[STATE_PRESENT] = summariseLine(sketch.line, sketch.actual).logMass
      const total = logSum(masses)
      const levels = this.#levels(column, { ...asked, logMass: masses }, total, own)
      if (sketch === undefined) return { ...surprise, observed: null, curve: null, levels }
      const present = masses[STATE_PRESENT] - total
      const there = asked.own === STATE_PRESENT
      return {
        ...surprise,
        ...this.#curve(field, sketch, present),
        observed: there ? this.#at(sketch, field, own) : typeof own === 'number' ? own : null,
        levels,
      }
    })
  }

  /** What never changed: nearly all is expected of the value that training saw. */
  #constant(surprise: FieldSurprise): FieldDensity {
    const never = Math.exp(-surprise.surprise_nats)
    return {
      ...surprise,
      observed: null,
      curve: null,
      levels: [
        { value: surprise.expected, probability: 1 - never, observed: false },
        { value: surprise.value, probability: never, observed: true },
      ],
    }
  }

  /** In units of the curve; the value itself where it is a number, for coordinates are only as fine as float32. */
  #at({ actual }: Sketch, field: string, own: Level): number {
    return typeof own === 'number' ? own : this.#encoder.decode(field, actual)
  }

  /** log p = log density(u) − log ∫ + log|du/dx| + log P(a number). */
  #curve(field: string, sketch: Sketch, logPresent: number): Pick<FieldDensity, 'curve'> {
    const { line, actual } = sketch
    const { low, high, logMass } = summariseLine(line, actual)
    const width = high - low
    const from = Math.min(low - MARGIN * width, actual)
    const to = Math.max(high + MARGIN * width, actual)
    const [first, last] = [from, to].map((u) => this.#encoder.decode(field, u))
    const evenly = (start: number, end: number) =>
      Array.from({ length: EVEN + 1 }, (_, i) => start + ((end - start) * i) / EVEN)
    const points = [
      ...line.points.filter((u) => u >= from && u <= to),
      ...evenly(low - MARGIN * width, high + MARGIN * width),
      ...evenly(first, last).map((x) => this.#encoder.encodeValue(field, x)),
    ].sort((a, b) => a - b)
    const unit = Math.log(this.#encoder.scaleOf(field))
    const x: number[] = []
    const log_density: number[] = []
    for (const u of points) {
      const at = this.#encoder.decode(field, u)
      if (x.length > 0 && !(at > x[x.length - 1])) continue
      x.push(at)
      log_density.push(logDensityAt(line, u) - logMass + logPresent + logSlope(u) - unit)
    }
    return { curve: { unit: this.#encoder.unitOf(field), x, log_density } }
  }

  #levels(column: number, { own, logMass }: Alternatives, total: number, value: Level): LevelShare[] {
    const { role } = this.#encoder.layout.discrete[column]
    const levels = this.#encoder.levels(column)
    const shares = [...logMass.keys()]
      .filter(
        (code) => code === own || (levels[code] !== undefined && logMass[code] > Number.NEGATIVE_INFINITY),
      )
      .filter((code) => role !== 'state' || code !== STATE_PRESENT)
      .map((code) => ({
        value: levels[code] === undefined ? value : (levels[code] as Level),
        probability: Math.exp(logMass[code] - total),
        observed: code === own,
      }))
      .sort((a, b) => b.probability - a.probability)
    return shares.filter(({ observed }, i) => observed || i < MOST_LEVELS)
  }
}
