import { pad4 } from './packing.ts'

export type Segment = 'words' | 'data' | 'parameters'

/** Floats per cache line: every array begins on one. */
const LINE = 16

/** Collects the words of a program and the data they point to; addresses are settled once memory is there. */
export class Emitter {
  private readonly code: number[] = []
  private readonly relocations: { readonly at: number; readonly segment: Segment }[] = []
  private readonly chunks: { readonly at: number; readonly values: ArrayLike<number> | Int32Array }[] = []
  private dataFloats = 0
  private parameterFloats = 0

  /** Words so far. */
  get length(): number {
    return this.code.length
  }
  /** Floats of data and of parameters so far. */
  get sizes(): { readonly data: number; readonly parameters: number } {
    return { data: this.dataFloats, parameters: this.parameterFloats }
  }

  push(...words: number[]): void {
    this.code.push(...words)
  }
  patch(at: number, value: number): void {
    this.code[at] = value
  }
  /** Appends an address: `floats` floats past the segment's start. */
  address(segment: Segment, floats: number): void {
    this.relocations.push({ at: this.code.length, segment })
    this.code.push(floats * 4)
  }
  /** Appends the address of new data holding `values`, zero-padded to whole vectors and lines. */
  floats(values: ArrayLike<number>): void {
    this.chunks.push({ at: this.reserve(values.length), values })
  }
  integers(values: Int32Array): void {
    this.floats(values)
  }
  /** Appends the address of `count` zeroed floats of data. */
  reserve(count: number): number {
    const at = this.dataFloats
    this.dataFloats += lines(count)
    this.address('data', at)
    return at
  }
  /** Appends the address of `count` trainable floats; returns where they begin among the parameters. */
  parameters(count: number): number {
    const at = this.parameterFloats
    this.parameterFloats += lines(count)
    this.address('parameters', at)
    return at
  }

  words(base: Readonly<Record<Segment, number>>): Int32Array {
    const words = Int32Array.from(this.code)
    for (const { at, segment } of this.relocations) words[at] += base[segment]
    return words
  }
  data(): Float32Array {
    const all = new Float32Array(this.dataFloats)
    const integers = new Int32Array(all.buffer)
    for (const { at, values } of this.chunks) (values instanceof Int32Array ? integers : all).set(values, at)
    return all
  }
}

/** Whole cache lines, with room for the part of a vector that a row's last load may read past its end. */
function lines(floats: number): number {
  return Math.ceil((pad4(floats) + 4) / LINE) * LINE
}

/** The bits of a float32 as a word. */
export function floatBits(value: number): number {
  return new Int32Array(new Float32Array([value]).buffer)[0]
}
