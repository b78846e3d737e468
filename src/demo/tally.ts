import { idOf } from '../core/record.ts'
import { ANOMALY, type ScoredBatch, UNSCORED } from '../core/scored.ts'
import type { PlantedBatch } from './flight-faults.ts'

export interface FaultTally {
  readonly fault: string
  readonly planted: number
  readonly found: number
  readonly recall: number
  /** Of the found ones, the share whose most surprising field is one that the fault touched. */
  readonly blamed: number | null
}
export interface DemoSummary {
  readonly records: number
  readonly planted: number
  readonly anomalies: number
  readonly unscored: number
  readonly nominal_rate: number
  /** Flagged share of the records that no fault touched. */
  readonly realised_rate: number
  readonly records_per_second: number
  readonly recall: readonly FaultTally[]
}

/** Counts what was planted, found and falsely flagged. */
export class Tally {
  private records = 0
  private anomalies = 0
  private unscored = 0
  private falseAlarms = 0
  private readonly faults = new Map<
    string,
    { planted: number; found: number; explained: number; blamed: number }
  >()

  add(scored: ScoredBatch, { faults }: PlantedBatch): void {
    const { batch, verdict, attributions } = scored
    this.records += batch.rows
    for (let row = 0; row < batch.rows; row++) {
      const flagged = verdict[row] === ANOMALY
      if (flagged) this.anomalies++
      if (verdict[row] === UNSCORED) this.unscored++
      const planted = faults.size === 0 ? undefined : faults.get(idOf(batch.origin, row))
      if (planted === undefined) {
        if (flagged) this.falseAlarms++
        continue
      }
      const tally = this.faults.get(planted.fault) ?? { planted: 0, found: 0, explained: 0, blamed: 0 }
      this.faults.set(planted.fault, tally)
      tally.planted++
      if (!flagged) continue
      tally.found++
      const worst = attributions.get(row)?.[0]
      if (worst === undefined) continue
      tally.explained++
      if (planted.fields.includes(worst.field)) tally.blamed++
    }
  }

  summary(nominalRate: number, seconds: number): DemoSummary {
    const recall = [...this.faults].map(([fault, { planted, found, explained, blamed }]) => ({
      fault,
      planted,
      found,
      recall: found / planted,
      blamed: explained === 0 ? null : blamed / explained,
    }))
    const planted = recall.reduce((sum, fault) => sum + fault.planted, 0)
    return {
      records: this.records,
      planted,
      anomalies: this.anomalies,
      unscored: this.unscored,
      nominal_rate: nominalRate,
      realised_rate: this.falseAlarms / Math.max(1, this.records - planted),
      records_per_second: Math.round(this.records / seconds),
      recall: recall.sort((a, b) => b.recall - a.recall),
    }
  }
}
