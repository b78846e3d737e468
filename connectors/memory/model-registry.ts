import { createHash } from 'node:crypto'
import { EventEmitter, on } from 'node:events'
import { aliasesAfter, aliasesOf } from '../../src/core/alias-history.ts'
import { assertModelName, assertModelVersion } from '../../src/core/model-name.ts'
import type { AliasChange, ModelAlias, ModelRegistry, ModelVersion } from '../../src/core/ports.ts'
import { aliasedModel, noSuchModel, staleFence } from '../../src/core/registry-errors.ts'

interface Entry {
  readonly bytes: Uint8Array
  readonly version: Omit<ModelVersion, 'aliases'>
}
interface Model {
  fence: number
  next: number
  readonly versions: Map<number, Entry>
  readonly history: AliasChange[]
}

/** What several MemoryModelRegistry instances of one process share, as a folder or a server would be shared. */
export class MemoryModels {
  readonly models = new Map<string, Model>()
  readonly changes = new EventEmitter().setMaxListeners(0)

  model(name: string): Model {
    assertModelName(name)
    let model = this.models.get(name)
    if (model === undefined) {
      model = { fence: 0, next: 1, versions: new Map(), history: [] }
      this.models.set(name, model)
    }
    return model
  }
}

/** The reference registry: lives and dies with the process. */
export class MemoryModelRegistry implements ModelRegistry {
  readonly name = 'memory'

  constructor(private readonly shared = new MemoryModels()) {}

  async fence(name: string): Promise<number> {
    return ++this.shared.model(name).fence
  }

  async put(
    name: string,
    artifact: Uint8Array,
    summary: Readonly<Record<string, unknown>>,
    fence: number,
  ): Promise<ModelVersion> {
    const model = this.shared.model(name)
    if (fence !== model.fence) throw staleFence(name, fence, model.fence)
    const bytes = artifact.slice()
    const version = {
      name,
      version: model.next++,
      created_at: new Date().toISOString(),
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
      summary: structuredClone(summary),
    }
    model.versions.set(version.version, { bytes, version })
    return { ...version, aliases: [] }
  }

  async get(name: string, version: number): Promise<Uint8Array> {
    return this.entry(name, version).bytes.slice()
  }

  async list(name: string): Promise<readonly ModelVersion[]> {
    const model = this.shared.model(name)
    const aliases = aliasesAfter(model.history)
    return [...model.versions.values()].map(({ version }) => ({
      ...version,
      aliases: aliasesOf(version.version, aliases),
    }))
  }

  async models(): Promise<readonly string[]> {
    return [...this.shared.models].filter(([, model]) => model.versions.size > 0).map(([name]) => name)
  }

  async setAlias(
    name: string,
    alias: ModelAlias,
    version: number | null,
    who: string,
    why: string,
  ): Promise<void> {
    if (version !== null) this.entry(name, version)
    const { history } = this.shared.model(name)
    const previous = aliasesAfter(history).get(alias) ?? null
    history.push({ at: new Date().toISOString(), alias, version, previous, who, why })
    this.shared.changes.emit('change')
  }

  async alias(name: string, alias: ModelAlias): Promise<ModelVersion | undefined> {
    const target = aliasesAfter(this.shared.model(name).history).get(alias)
    return target === undefined ? undefined : (await this.list(name)).find((v) => v.version === target)
  }

  async history(name: string): Promise<readonly AliasChange[]> {
    return [...this.shared.model(name).history]
  }

  async remove(name: string, version: number): Promise<void> {
    this.entry(name, version)
    const { history, versions } = this.shared.model(name)
    const held = aliasesOf(version, aliasesAfter(history))
    if (held.length > 0) throw aliasedModel(name, version, held)
    versions.delete(version)
  }

  async *watch(name: string, signal: AbortSignal): AsyncIterable<ModelVersion> {
    if (signal.aborted) return
    const changes = on(this.shared.changes, 'change', { signal })
    let last: number | undefined
    try {
      for (;;) {
        const champion = await this.alias(name, 'champion')
        if (champion !== undefined && champion.version !== last) yield champion
        last = champion?.version
        await changes.next()
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  private entry(name: string, version: number): Entry {
    assertModelVersion(version)
    const entry = this.shared.model(name).versions.get(version)
    if (entry === undefined) throw noSuchModel(name, version)
    return entry
  }
}
