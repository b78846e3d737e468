export interface ModelVersion {
  readonly name: string
  readonly version: number
  readonly created_at: string
  /** SHA-256 of the artifact's bytes, hex. */
  readonly sha256: string
  readonly bytes: number
  readonly aliases: readonly ModelAlias[]
  /** What the model list shows without opening the artifact. */
  readonly summary: Readonly<Record<string, unknown>>
}
export type ModelAlias = 'champion' | 'challenger'
export interface AliasChange {
  readonly at: string
  readonly alias: ModelAlias
  readonly version: number | null
  readonly previous: number | null
  readonly who: string
  readonly why: string
}
/** Integer versions per model name, from 1, never reused. A pipeline's model is named after it. */
export interface ModelRegistry extends AsyncDisposable {
  readonly name: string
  /** Takes the next fencing token of a model: any put with an older one is refused from now on. */
  fence(model: string): Promise<number>
  /** Stores an artifact as the next version; FENCE_STALE where a newer token was taken. */
  put(
    model: string,
    artifact: Uint8Array,
    summary: Readonly<Record<string, unknown>>,
    fence: number,
  ): Promise<ModelVersion>
  get(model: string, version: number): Promise<Uint8Array>
  list(model: string): Promise<readonly ModelVersion[]>
  models(): Promise<readonly string[]>
  setAlias(model: string, alias: ModelAlias, version: number | null, who: string, why: string): Promise<void>
  alias(model: string, alias: ModelAlias): Promise<ModelVersion | undefined>
  history(model: string): Promise<readonly AliasChange[]>
  /** Removes a version's bytes; refused for one that has an alias. */
  remove(model: string, version: number): Promise<void>
  /** The champion now (when there is one) and at every change. */
  watch(model: string, signal: AbortSignal): AsyncIterable<ModelVersion>
}
