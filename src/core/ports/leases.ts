/** Held by one process at a time. */
export interface Lease extends AsyncDisposable {
  /** True from when it expired unnoticed, as after a long pause: another process may hold it now. */
  readonly lost: boolean
}

/**
 * Elects one of several processes for a piece of work: the first who asks holds the lease until it gives it back; that
 * of a process that died expires. It spares doing the work twice; what is published under it still needs a fence.
 */
export interface Leases extends AsyncDisposable {
  /** The lease of that name, or undefined while another process holds it. */
  take(name: string): Promise<Lease | undefined>
}
