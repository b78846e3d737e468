/** The ports: what the inside asks of the outside. Types only; connectors implement them. */
export type * from './ports/alerts.ts'
export type * from './ports/label-store.ts'
export type * from './ports/model-registry.ts'
export type * from './ports/pipeline-monitor.ts'
export type * from './ports/record-densities.ts'
export type * from './ports/retrain-queue.ts'
export type * from './ports/score-store.ts'
export type * from './ports/stream.ts'
