export type Label = 'anomaly' | 'false_alarm'
export interface LabelledRecord {
  readonly pipeline: string
  readonly id: string
  readonly label: Label
  readonly who: string
  readonly at: string
  readonly note?: string
}
export interface LabelStore {
  /** Keeps one label per record: a later one takes its place. */
  put(label: LabelledRecord): Promise<void>
  labels(pipeline: string): Promise<readonly LabelledRecord[]>
}
