import { createHash } from 'node:crypto'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { lock } from 'proper-lockfile'
import { aliasesAfter, aliasesOf } from '../../src/core/alias-history.ts'
import { messageOf, SurprisalError } from '../../src/core/errors.ts'
import { assertModelName, assertModelVersion } from '../../src/core/model-name.ts'
import type { AliasChange, ModelAlias, ModelRegistry, ModelVersion } from '../../src/core/ports.ts'
import { aliasedModel, noSuchModel, staleFence } from '../../src/core/registry-errors.ts'
import { appendLine, readIfThere, readLines, writeDurably } from './durable-file.ts'

type Entry = Omit<ModelVersion, 'aliases'>
const padded = (version: number): string => String(version).padStart(6, '0')

/**
 * A registry in a folder that every host sees. Per model:
 * `versions/000001.safetensors` (the artifact) and `.json` (its entry; stays after removal, so that numbers are
 * never reused), `aliases.ndjson` (append-only: the last complete line of an alias is where it points, so a crash
 * leaves old or new), `fence` (the newest token). Writers hold a lock folder, which goes stale 10 s after a kill.
 */
export class FsModelRegistry implements ModelRegistry {
  readonly name = 'fs'

  constructor(
    private readonly folder: string,
    private readonly options: { readonly pollMs?: number; readonly lockStaleMs?: number } = {},
  ) {}

  async fence(model: string): Promise<number> {
    return this.locked(model, async (home) => {
      const token = (await newestFence(home)) + 1
      await writeDurably(join(home, 'fence'), String(token))
      return token
    })
  }

  async put(
    model: string,
    artifact: Uint8Array,
    summary: Readonly<Record<string, unknown>>,
    fence: number,
  ): Promise<ModelVersion> {
    return this.locked(model, async (home) => {
      const newest = await newestFence(home)
      if (fence !== newest) throw staleFence(model, fence, newest)
      const versions = join(home, 'versions')
      const version = (await numbersIn(versions, '.json')).reduce((a, b) => Math.max(a, b), 0) + 1
      const entry: Entry = {
        name: model,
        version,
        created_at: new Date().toISOString(),
        sha256: createHash('sha256').update(artifact).digest('hex'),
        bytes: artifact.length,
        summary,
      }
      await writeDurably(join(versions, `${padded(version)}.safetensors`), artifact)
      await writeDurably(join(versions, `${padded(version)}.json`), JSON.stringify(entry))
      return { ...entry, aliases: [] }
    })
  }

  async get(model: string, version: number): Promise<Uint8Array> {
    assertModelVersion(version)
    const path = join(this.home(model), 'versions', padded(version))
    const entry = await readEntry(`${path}.json`)
    const bytes = await readIfThere(`${path}.safetensors`)
    if (entry === undefined || bytes === undefined) throw noSuchModel(model, version)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    if (sha256 !== entry.sha256) {
      throw new SurprisalError(
        'MODEL_INVALID',
        `model "${model}" version ${version} is damaged: its SHA-256 is ${sha256}, ${entry.sha256} was stored. Restore the file or roll back to another version`,
      )
    }
    return bytes
  }

  async list(model: string): Promise<readonly ModelVersion[]> {
    const versions = join(this.home(model), 'versions')
    const aliases = aliasesAfter(await this.history(model))
    const found: ModelVersion[] = []
    for (const version of await numbersIn(versions, '.safetensors')) {
      const entry = await readEntry(join(versions, `${padded(version)}.json`))
      if (entry !== undefined) found.push({ ...entry, aliases: aliasesOf(version, aliases) })
    }
    return found.sort((a, b) => a.version - b.version)
  }

  async models(): Promise<readonly string[]> {
    const names: string[] = []
    for (const name of await list(this.folder)) {
      if ((await numbersIn(join(this.folder, name, 'versions'), '.safetensors')).length > 0) names.push(name)
    }
    return names.sort()
  }

  async setAlias(
    model: string,
    alias: ModelAlias,
    version: number | null,
    who: string,
    why: string,
  ): Promise<void> {
    await this.locked(model, async (home) => {
      if (version !== null) await this.assertThere(model, version)
      const previous = aliasesAfter(await this.history(model)).get(alias) ?? null
      const change: AliasChange = { at: new Date().toISOString(), alias, version, previous, who, why }
      await appendLine(join(home, 'aliases.ndjson'), change)
    })
  }

  async alias(model: string, alias: ModelAlias): Promise<ModelVersion | undefined> {
    const target = aliasesAfter(await this.history(model)).get(alias)
    if (target === undefined) return undefined
    return (await this.list(model)).find((v) => v.version === target)
  }

  async history(model: string): Promise<readonly AliasChange[]> {
    return readLines<AliasChange>(join(this.home(model), 'aliases.ndjson'))
  }

  async remove(model: string, version: number): Promise<void> {
    await this.locked(model, async (home) => {
      await this.assertThere(model, version)
      const held = aliasesOf(version, aliasesAfter(await this.history(model)))
      if (held.length > 0) throw aliasedModel(model, version, held)
      await rm(join(home, 'versions', `${padded(version)}.safetensors`))
    })
  }

  async *watch(model: string, signal: AbortSignal): AsyncIterable<ModelVersion> {
    const path = join(this.home(model), 'aliases.ndjson')
    let size = -1
    let last: number | undefined
    while (!signal.aborted) {
      const now = (await stat(path).catch(() => undefined))?.size ?? 0
      if (now !== size) {
        size = now
        const champion = await this.alias(model, 'champion')
        if (champion !== undefined && champion.version !== last) yield champion
        last = champion?.version
      }
      await sleep(this.options.pollMs ?? 500, undefined, { signal }).catch(() => {})
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  private home(model: string): string {
    assertModelName(model)
    return join(this.folder, model)
  }

  private async assertThere(model: string, version: number): Promise<void> {
    assertModelVersion(version)
    const path = join(this.home(model), 'versions', `${padded(version)}.safetensors`)
    if ((await stat(path).catch(() => undefined)) === undefined) throw noSuchModel(model, version)
  }

  private async locked<T>(model: string, work: (home: string) => Promise<T>): Promise<T> {
    const home = this.home(model)
    try {
      await mkdir(join(home, 'versions'), { recursive: true })
    } catch (cause) {
      throw new SurprisalError(
        'FILE_UNREADABLE',
        `cannot write the registry ${this.folder}: ${messageOf(cause)}`,
        {
          cause,
        },
      )
    }
    const release = await lock(home, {
      stale: this.options.lockStaleMs ?? 10_000,
      retries: { retries: 200, minTimeout: 20, maxTimeout: 200, factor: 1.3 },
      onCompromised: () => {},
    })
    try {
      return await work(home)
    } finally {
      await release().catch(() => {})
    }
  }
}

async function newestFence(home: string): Promise<number> {
  return Number((await readIfThere(join(home, 'fence')))?.toString('utf8') ?? 0)
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
    throw new SurprisalError('FILE_UNREADABLE', `cannot read the registry ${folder}: ${error.message}`, {
      cause: error,
    })
  })
}

async function numbersIn(folder: string, ending: string): Promise<number[]> {
  return (await list(folder))
    .filter((f) => /^\d+\.[a-z]+$/.test(f) && f.endsWith(ending))
    .map((f) => Number.parseInt(f, 10))
}

async function readEntry(path: string): Promise<Entry | undefined> {
  const bytes = await readIfThere(path)
  return bytes && JSON.parse(bytes.toString('utf8'))
}
