import type { FieldDensity } from '../core/ports.ts'
import { offsetOf, type RecordBatch } from '../core/record.ts'
import { ANOMALY, type FieldSurprise, NORMAL, UNSCORED } from '../core/scored.ts'
import { sliceBatch } from '../core/slice-batch.ts'
import type { EncodedBatch } from '../features/encoded.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { Attribution } from './attribution/attribution.ts'
import { Conditionals } from './attribution/conditionals.ts'
import { type Counterfactual, nearestNormal } from './attribution/counterfactual.ts'
import { Calibration } from './calibration/calibration.ts'
import { placeOf } from './calibration/tie.ts'
import type { Model } from './model-file/artifact.ts'
import { ModelSurprisal } from './model-surprisal.ts'
import { redactReasons } from './rules/redaction.ts'
import { emptyColumns, type ScoredColumns } from './threads/scored-columns.ts'

export interface RecordScorerOptions {
  readonly rate: number
  readonly redact: readonly string[]
}

/** Rows that are scored at a time: bounds memory, keeps buffers in the cache. */
const CHUNK = 4096

/** The whole step for one thread: encode, log p, p-value, verdict; and the attribution of chosen records. */
export class RecordScorer implements Disposable {
  readonly #surprisal: ModelSurprisal
  readonly #calibration: Calibration
  readonly #attribution: Attribution
  readonly #options: RecordScorerOptions
  /** Fields that never changed in training, as their notes begin. */
  readonly #watched: readonly string[]
  readonly #never: number
  #buffers: EncodedBatch | undefined

  constructor(model: Model, kernel: Kernel, options: RecordScorerOptions) {
    const { manifest, surprisals } = model
    this.#surprisal = new ModelSurprisal(model, kernel)
    this.#calibration = new Calibration({ surprisals, tail: manifest.calibration.tail })
    this.#attribution = new Attribution(
      this.#surprisal.encoder,
      (encoded) => this.#surprisal.exact(encoded),
      options.redact,
    )
    this.#options = options
    const { columns, rows } = manifest.encoder
    this.#watched = columns.filter(({ kind }) => kind === 'constant').map(({ field }) => `${field}: `)
    this.#never = 1 / (rows + 2)
  }

  score(batch: RecordBatch): ScoredColumns {
    const { rows } = batch
    const out = emptyColumns(rows)
    for (let from = 0; from < rows; from += CHUNK) {
      const to = Math.min(rows, from + CHUNK)
      this.#scoreChunk(sliceBatch(batch, from, to), from, out)
    }
    return out
  }

  /** The surprise of each field, for every row of a batch of records that can be encoded. */
  explain(batch: RecordBatch): FieldSurprise[][] {
    return this.#attribution.explain(batch, this.#surprisal.encoder.encode(batch))
  }

  /** The conditional density of each field of the first record of a batch. */
  densities(batch: RecordBatch): FieldDensity[] {
    const exact = (encoded: EncodedBatch) => this.#surprisal.exact(encoded)
    return new Conditionals(this.#surprisal.encoder, exact, this.#options.redact).of(
      batch,
      this.#surprisal.encoder.encode(batch),
    )
  }

  /** For every row: which single change of a field would make the record normal. */
  nearestNormal(batch: RecordBatch): Counterfactual[][] {
    const { redact } = this.#options
    return this.explain(batch).map((attribution, row) => {
      const shown = attribution.filter(({ field }) => !redact.includes(field))
      return nearestNormal(batch, row, shown, this.#surprisal.encoder, (varied) => this.score(varied))
    })
  }

  [Symbol.dispose](): void {
    this.#surprisal[Symbol.dispose]()
  }

  #scoreChunk(batch: RecordBatch, from: number, out: ScoredColumns): void {
    const encoded = this.#surprisal.encoder.encode(batch, this.#buffers)
    this.#buffers = encoded
    const { rows } = batch
    const { surprisals, exact } = this.#surprisal.of(encoded, batch.entity)
    const to = from + rows
    const view = {
      score: out.score.subarray(from, to),
      pValue: out.pValue.subarray(from, to),
      pMethod: out.pMethod.subarray(from, to),
    }
    const { origin } = batch
    this.#calibration.apply(surprisals, rows, (row) => placeOf(origin.prefix, offsetOf(origin, row)), view)
    const { logJacobian, logUnits } = encoded
    const { rate, redact } = this.#options
    for (let i = 0; i < rows; i++) {
      out.logProb[from + i] = exact[i] + logJacobian[i] + logUnits[i]
      out.verdict[from + i] = view.pValue[i] <= rate ? ANOMALY : NORMAL
    }
    for (const [row, notes] of encoded.notes) {
      out.reasons.set(from + row, redactReasons(notes, redact))
      if (notes.some((note) => this.#watched.some((field) => note.startsWith(field))))
        this.#flag(from + row, out)
    }
    for (const [row, reasons] of encoded.unscored) {
      const at = from + row
      out.reasons.set(at, redactReasons(reasons, redact))
      out.verdict[at] = UNSCORED
      for (const column of [out.logProb, out.score, out.pValue]) column[at] = Number.NaN
    }
  }

  /** What never changed has changed: an anomaly whatever the density says, at p ≤ 1 / (n + 2), Laplace's rule. */
  #flag(row: number, out: ScoredColumns): void {
    out.verdict[row] = ANOMALY
    out.pValue[row] = Math.min(out.pValue[row], this.#never)
    out.score[row] = Math.max(out.score[row], -Math.log10(this.#never))
  }
}
