import { SurprisalError } from '../../core/errors.ts'

/**
 * The safetensors format: an 8-byte little-endian header length, a JSON header, then the tensors' bytes.
 * Only float32 is read and written. It holds no code: a foreign file can be refused, it can do nothing.
 */
export interface Tensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}
export interface TensorFile {
  readonly metadata: ReadonlyMap<string, string>
  readonly tensors: ReadonlyMap<string, Tensor>
}

const MAX_HEADER_BYTES = 64 * 1024 * 1024
const FORBIDDEN_NAMES = new Set(['__proto__', 'constructor', 'prototype'])
const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** Tensors are laid out in the map's order; the header is padded with spaces so that data starts on 8 bytes. */
export function writeSafetensors(file: TensorFile): Uint8Array {
  const entries: [string, unknown][] = [['__metadata__', Object.fromEntries(file.metadata)]]
  let offset = 0
  for (const [name, { shape, data }] of file.tensors) {
    if (elements(shape) !== data.length) {
      throw new SurprisalError(
        'INTERNAL',
        `tensor "${name}" has ${data.length} values for shape [${shape.join(', ')}]`,
      )
    }
    entries.push([name, { dtype: 'F32', shape, data_offsets: [offset, offset + data.length * 4] }])
    offset += data.length * 4
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)))
  const header = Math.ceil(json.length / 8) * 8
  const bytes = new Uint8Array(8 + header + offset)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header), true)
  bytes.fill(0x20, 8, 8 + header).set(json, 8)
  const view = new DataView(bytes.buffer, 8 + header)
  let at = 0
  for (const { data } of file.tensors.values()) {
    if (LITTLE_ENDIAN)
      bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 8 + header + at)
    else for (let i = 0; i < data.length; i++) view.setFloat32(at + 4 * i, data[i], true)
    at += data.length * 4
  }
  return bytes
}

/**
 * Reads strictly: every tensor float32, with its shape's size, the tensors side by side without gap or overlap, to the
 * last byte. Anything else is MODEL_INVALID with what is wrong.
 */
export function readSafetensors(bytes: Uint8Array): TensorFile {
  if (bytes.length < 8)
    throw refused(`it has ${bytes.length} bytes, a model file starts with an 8-byte header length`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getBigUint64(0, true)
  if (length > BigInt(Math.min(MAX_HEADER_BYTES, bytes.length - 8))) {
    throw refused(
      `its header claims ${length} bytes, the file has ${bytes.length}: truncated, or not a safetensors file`,
    )
  }
  const header = parseHeader(bytes.subarray(8, 8 + Number(length)))
  const start = 8 + Number(length)
  const tensors = new Map<string, Tensor>()
  const spans: [from: number, to: number, name: string][] = []
  let metadata: ReadonlyMap<string, string> = new Map()
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') {
      metadata = metadataOf(value)
      continue
    }
    if (FORBIDDEN_NAMES.has(name)) throw refused(`"${name}" is not a tensor name`)
    const { shape, from, to } = entryOf(name, value)
    if (start + to > bytes.length) throw refused(`tensor "${name}" ends past the file: it is truncated`)
    spans.push([from, to, name])
    tensors.set(name, { shape, data: floatsOf(view, start + from, (to - from) / 4) })
  }
  let end = 0
  for (const [from, to, name] of spans.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    if (from !== end)
      throw refused(`tensor "${name}" ${from < end ? 'overlaps the one before it' : 'leaves a gap'}`)
    end = to
  }
  if (start + end !== bytes.length)
    throw refused(`${bytes.length - start - end} bytes follow the last tensor`)
  return { metadata, tensors }
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw refused('its header is not JSON', cause)
  }
  if (!isObject(header)) throw refused('its header is not a JSON object')
  return header
}

function metadataOf(value: unknown): ReadonlyMap<string, string> {
  if (!isObject(value)) throw refused('__metadata__ is not an object')
  const metadata = new Map<string, string>()
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw refused(`__metadata__ entry "${key}" is not text`)
    metadata.set(key, text)
  }
  return metadata
}

function entryOf(name: string, value: unknown): { shape: readonly number[]; from: number; to: number } {
  if (!isObject(value)) throw refused(`tensor "${name}" is not described by an object`)
  const { dtype, shape, data_offsets: offsets } = value
  if (dtype !== 'F32') throw refused(`tensor "${name}" has type ${JSON.stringify(dtype)}, only "F32" is read`)
  if (!isSizes(shape)) throw refused(`tensor "${name}" has no valid shape`)
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw refused(`tensor "${name}" has no valid data_offsets`)
  }
  if (elements(shape) * 4 !== offsets[1] - offsets[0]) {
    throw refused(`tensor "${name}" has ${offsets[1] - offsets[0]} bytes for shape [${shape.join(', ')}]`)
  }
  return { shape, from: offsets[0], to: offsets[1] }
}

function floatsOf(view: DataView, offset: number, count: number): Float32Array {
  const data = new Float32Array(count)
  if (LITTLE_ENDIAN) {
    new Uint8Array(data.buffer).set(new Uint8Array(view.buffer, view.byteOffset + offset, count * 4))
  } else for (let i = 0; i < count; i++) data[i] = view.getFloat32(offset + 4 * i, true)
  return data
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0)
}

function refused(what: string, cause?: unknown): SurprisalError {
  return new SurprisalError(
    'MODEL_INVALID',
    `not a usable model file: ${what}; fit or download it again`,
    cause === undefined ? undefined : { cause },
  )
}
