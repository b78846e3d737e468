const GRACE_MS = 3_000

/**
 * Ends the process within seconds once its work is done and committed, though a client library may have left a
 * connection open (seen: one to a broker, after a rebalance met a shutdown). What waits on standard output is written.
 */
export function leaveSoon(graceMs = GRACE_MS): void {
  const leave = () => {
    if (process.stdout.writableLength > 0) process.stdout.once('drain', () => process.exit())
    else process.exit()
  }
  setTimeout(leave, graceMs).unref()
}
