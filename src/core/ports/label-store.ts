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
  put(label: LabelledRecord): Promise<void>
  labels(pipeline: string): Promise<readonly LabelledRecord[]>
}
