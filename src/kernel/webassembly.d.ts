/** The part of the WebAssembly JavaScript interface that the kernel uses; @types/node 20 lacks it. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>)
  }
  class Instance {
    readonly exports: Readonly<Record<string, unknown>>
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>)
  }
  class Memory {
    readonly buffer: SharedArrayBuffer
    constructor(descriptor: { initial: number; maximum: number; shared: true })
    grow(pages: number): number
  }
  function validate(bytes: Uint8Array<ArrayBuffer>): boolean
}
