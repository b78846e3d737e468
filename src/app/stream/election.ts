import type { Lease, Leases } from '../../core/ports.ts'

/** Whether this process is the one of many that does a piece of work; once elected it stays so until it is disposed. */
export class Election implements AsyncDisposable {
  private readonly leases: Leases
  private readonly work: string
  private lease: Lease | undefined

  constructor(leases: Leases, work: string) {
    this.leases = leases
    this.work = work
  }

  async won(): Promise<boolean> {
    if (this.lease?.lost) this.lease = undefined
    this.lease ??= await this.leases.take(this.work)
    return this.lease !== undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { lease } = this
    this.lease = undefined
    await lease?.[Symbol.asyncDispose]()
    await this.leases[Symbol.asyncDispose]()
  }
}
