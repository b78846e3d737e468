import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { ShadowReport, Source } from '../core/ports.ts'
import {
  ANOMALY,
  NORMAL,
  type ScoredBatch,
  SEVERITIES,
  severityOf,
  UNSCORED,
  VERDICTS,
} from '../core/scored.ts'

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

/** What a pipeline counts, for Prometheus. Base units; no label carries an entity or a record's id. */
export class PipelineMetrics {
  private readonly pipeline: string
  private readonly registers: Registry[]
  private readonly records
  private readonly anomalies
  private readonly suppressed
  private readonly dead
  private readonly retries
  private readonly scoreSeconds
  private readonly writeSeconds
  private readonly endToEnd
  private readonly flight
  private readonly version
  private readonly nominal
  private readonly realised
  private judged = 0
  private flagged = 0

  constructor(registry: Registry, pipeline: string, source?: Source) {
    const registers = [registry]
    this.registers = registers
    const common = { registers, labelNames: ['pipeline'] as const }
    this.pipeline = pipeline
    this.records = new Counter({
      name: 'surprisal_records_total',
      help: 'Records by verdict.',
      registers,
      labelNames: ['pipeline', 'verdict'] as const,
    })
    this.anomalies = new Counter({
      name: 'surprisal_anomalies_total',
      help: 'Flagged records by severity.',
      registers,
      labelNames: ['pipeline', 'severity'] as const,
    })
    this.suppressed = new Counter({
      name: 'surprisal_suppressed_total',
      help: 'Flagged records that a rule keeps from raising an alert.',
      ...common,
    })
    this.dead = new Counter({
      name: 'surprisal_dead_letters_total',
      help: 'Records that could not be decoded and went to the dead letters.',
      ...common,
    })
    this.retries = new Counter({
      name: 'surprisal_sink_retries_total',
      help: 'Failed writes that were tried again.',
      registers,
      labelNames: ['pipeline', 'sink'] as const,
    })
    const seconds = { ...common, buckets: SECONDS }
    this.scoreSeconds = new Histogram({
      name: 'surprisal_score_batch_seconds',
      help: 'Time to score one batch.',
      ...seconds,
    })
    this.writeSeconds = new Histogram({
      name: 'surprisal_write_batch_seconds',
      help: 'Time to write one scored batch to every destination.',
      ...seconds,
    })
    this.endToEnd = new Histogram({
      name: 'surprisal_end_to_end_seconds',
      help: 'From the event time of the oldest record of a batch to its acknowledgement.',
      ...seconds,
    })
    this.flight = new Gauge({
      name: 'surprisal_batches_in_flight',
      help: 'Batches being scored or written.',
      ...common,
    })
    this.version = new Gauge({
      name: 'surprisal_model_version',
      help: 'Model version of the last batch.',
      ...common,
    })
    this.nominal = new Gauge({
      name: 'surprisal_alarm_rate_nominal',
      help: 'False alarms per normal record that were asked for.',
      ...common,
    })
    this.realised = new Gauge({
      name: 'surprisal_alarm_rate_realised',
      help: 'Flagged share of all scored records since the start.',
      ...common,
    })
    if (source?.lags !== undefined) this.watchLag(source)
    this.startAtZero()
  }

  /** increase() sees no step in a series that begins with it: the first critical anomaly would raise no alert. */
  private startAtZero(): void {
    const { pipeline } = this
    for (const verdict of VERDICTS) this.records.inc({ pipeline, verdict }, 0)
    for (const severity of SEVERITIES) this.anomalies.inc({ pipeline, severity }, 0)
    for (const counter of [this.suppressed, this.dead]) counter.inc({ pipeline }, 0)
  }

  scored(scored: ScoredBatch, writeMs: number): void {
    const { pipeline } = this
    const counts = [0, 0, 0]
    for (const verdict of scored.verdict) counts[verdict]++
    counts.forEach((count, verdict) => {
      if (count > 0) this.records.inc({ pipeline, verdict: VERDICTS[verdict] }, count)
    })
    for (let row = 0; counts[ANOMALY] > 0 && row < scored.verdict.length; row++) {
      if (scored.verdict[row] !== ANOMALY) continue
      const severity = severityOf(scored.pValue[row], scored.threshold) ?? 'warning'
      this.anomalies.inc({ pipeline, severity })
    }
    if (scored.suppressed !== undefined) this.suppressed.inc({ pipeline }, scored.suppressed.size)
    this.judged += counts[NORMAL] + counts[ANOMALY]
    this.flagged += counts[ANOMALY]
    this.writeSeconds.observe({ pipeline }, writeMs / 1000)
    this.version.set({ pipeline }, scored.modelVersion)
    this.nominal.set({ pipeline }, scored.threshold)
    if (this.judged > 0) this.realised.set({ pipeline }, this.flagged / this.judged)
    const oldest = scored.batch.eventTime?.[0]
    if (counts[UNSCORED] < scored.verdict.length && oldest !== undefined && !Number.isNaN(oldest))
      this.endToEnd.observe({ pipeline }, Math.max(0, Date.now() - oldest) / 1000)
  }

  scoring(milliseconds: number): void {
    this.scoreSeconds.observe({ pipeline: this.pipeline }, milliseconds / 1000)
  }
  deadLettered(records: number): void {
    this.dead.inc({ pipeline: this.pipeline }, records)
  }
  retried(sink: string): void {
    this.retries.inc({ pipeline: this.pipeline, sink })
  }
  inFlight(batches: number): void {
    this.flight.set({ pipeline: this.pipeline }, batches)
  }

  /** @param createdAt when the model in place was made, ISO 8601; undefined while there is none. */
  watchModel(createdAt: () => string | null | undefined): void {
    const { pipeline, registers } = this
    new Gauge({
      name: 'surprisal_model_age_seconds',
      help: 'Since the model in place was made.',
      registers,
      labelNames: ['pipeline'] as const,
      collect() {
        const made = Date.parse(createdAt() ?? '')
        if (Number.isNaN(made)) this.remove({ pipeline })
        else this.set({ pipeline }, Math.max(0, Date.now() - made) / 1000)
      },
    })
  }

  /** @param report of the challenger that scores beside the champion; undefined while none does. */
  watchShadow(report: () => ShadowReport | undefined): void {
    const { pipeline, registers } = this
    new Gauge({
      name: 'surprisal_shadow_records',
      help: 'Records that the waiting challenger scored beside the champion, by who flagged them.',
      registers,
      labelNames: ['pipeline', 'flagged_by'] as const,
      collect() {
        this.reset()
        const shadow = report()
        if (shadow === undefined) return
        for (const flagged_by of ['both', 'neither', 'only_champion', 'only_challenger', 'unscored'] as const)
          this.set({ pipeline, flagged_by }, shadow[flagged_by])
      },
    })
  }

  private watchLag(source: Source): void {
    const { pipeline, registers } = this
    new Gauge({
      name: 'surprisal_source_lag_records',
      help: 'Records behind the end of a partition.',
      registers,
      labelNames: ['pipeline', 'topic', 'partition'] as const,
      collect() {
        this.reset()
        for (const { topic, partition, lag } of source.lags?.() ?? [])
          this.set({ pipeline, topic, partition }, lag)
      },
    })
  }
}
