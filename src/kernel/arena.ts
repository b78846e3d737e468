import { SurprisalError } from '../core/errors.ts'

const PAGE = 65_536
/** A cache line. */
const ALIGNMENT = 64

/** A first-fit allocator over a WebAssembly memory, for a few long-lived blocks. Blocks are zeroed, 64-byte aligned. */
export class Arena {
  private readonly memory: WebAssembly.Memory
  private readonly limit: number
  private readonly sizes = new Map<number, number>()
  /** Free blocks by address; neighbours are always joined. */
  private gaps: { address: number; bytes: number }[] = []
  private top: number

  constructor(memory: WebAssembly.Memory, base: number, limit: number) {
    this.memory = memory
    this.limit = limit
    this.top = aligned(base)
  }

  /** Bytes in use. */
  get used(): number {
    return [...this.sizes.values()].reduce((sum, bytes) => sum + bytes, 0)
  }

  allocate(bytes: number): number {
    const size = aligned(Math.max(1, bytes))
    const gap = this.gaps.find((g) => g.bytes >= size)
    const address = gap ? gap.address : this.extend(size)
    if (gap) {
      gap.address += size
      gap.bytes -= size
      if (gap.bytes === 0) this.gaps = this.gaps.filter((g) => g !== gap)
    }
    this.sizes.set(address, size)
    new Uint8Array(this.memory.buffer, address, size).fill(0)
    return address
  }

  free(address: number): void {
    const size = this.sizes.get(address)
    if (size === undefined) throw new SurprisalError('INTERNAL', `no block of the arena begins at ${address}`)
    this.sizes.delete(address)
    const sorted = [...this.gaps, { address, bytes: size }].sort((a, b) => a.address - b.address)
    this.gaps = []
    for (const gap of sorted) {
      const last = this.gaps.at(-1)
      if (last && last.address + last.bytes === gap.address) last.bytes += gap.bytes
      else this.gaps.push(gap)
    }
    const last = this.gaps.at(-1)
    if (last && last.address + last.bytes === this.top) {
      this.top = last.address
      this.gaps.pop()
    }
  }

  private extend(size: number): number {
    const address = this.top
    const missing = Math.ceil((address + size - this.memory.buffer.byteLength) / PAGE)
    if (address + size > this.limit)
      throw new SurprisalError(
        'BACKEND_UNAVAILABLE',
        `the kernel's memory would need ${address + size} bytes, its limit is ${this.limit}: use a smaller flow`,
      )
    if (missing > 0) this.memory.grow(missing)
    this.top = address + size
    return address
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
}
