export type Label = 'anomaly' | 'false_alarm'
export interface LabelledRecord {
  readonly pipeline: string
  /** Of the scored record, or its content (`contentIdOf`), which also finds the record elsewhere. */
  readonly id: string
  readonly label: Label
  readonly who: string
  readonly at: string
  readonly note?: string
}
/** What people's labels say of the alarms. */
export interface Precision {
  readonly labelled: number
  /** Called anomalies. */
  readonly confirmed: number
  readonly false_alarms: number
  /** confirmed ÷ labelled; null where nothing is labelled. */
  readonly precision: number | null
}
export interface LabelStore {
  /** Keeps one label per record: a later one takes its place. */
  put(label: LabelledRecord): Promise<void>
  labels(pipeline: string): Promise<readonly LabelledRecord[]>
}
