/**
 * Works on several items at once and gives the results in the order of the items. At most `inFlight` are under way or
 * waiting to be taken, so memory stays bounded; a result is given as soon as it is the oldest and done.
 */
export async function* pipelined<T, R>(
  items: AsyncIterable<T>,
  work: (item: T) => Promise<R>,
  inFlight: number,
): AsyncGenerator<R, void, undefined> {
  const iterator = items[Symbol.asyncIterator]()
  const pending: Promise<R>[] = []
  let ended = false
  let next: Promise<IteratorResult<T>> | undefined
  try {
    while (!ended || pending.length > 0) {
      if (ended || pending.length >= inFlight) {
        yield await pending.shift()!
        continue
      }
      next ??= handled(iterator.next())
      const arrived = next.then(() => true)
      const more = await (pending.length === 0
        ? arrived
        : Promise.race([arrived, pending[0].then(() => false)]))
      if (!more) {
        yield await pending.shift()!
        continue
      }
      const { done, value } = await next
      next = undefined
      if (done) ended = true
      else pending.push(handled(work(value)))
    }
  } finally {
    await iterator.return?.()
  }
}

/**
 * Groups single items into lists of up to `size`; an incomplete list is given once its first item has waited
 * `delayMs`. Reads at most one list ahead.
 */
export async function* grouped<T>(
  items: AsyncIterable<T> | Iterable<T>,
  size: number,
  delayMs: number,
): AsyncGenerator<T[], void, undefined> {
  let held: T[] = []
  let ended = false
  let failure: { readonly cause: unknown } | undefined
  let wake = () => {}
  let resume = () => {}
  let stopped = false
  const read = async () => {
    try {
      for await (const item of items) {
        if (stopped) return
        if (held.push(item) === 1 || held.length >= size) wake()
        if (held.length >= 2 * size) await new Promise<void>((resolve) => (resume = resolve))
      }
    } catch (cause) {
      failure = { cause }
    }
    ended = true
    wake()
  }
  const reading = read()
  try {
    while (true) {
      if (held.length === 0 && !ended) await new Promise<void>((resolve) => (wake = resolve))
      if (held.length < size && !ended) await waited(delayMs, (resolve) => (wake = resolve))
      if (held.length > 0) {
        const given = held.slice(0, size)
        held = held.slice(size)
        resume()
        yield given
      } else if (ended) {
        if (failure !== undefined) throw failure.cause
        return
      }
    }
  } finally {
    stopped = true
    resume()
    if (ended) await reading
  }
}

function waited(delayMs: number, register: (resolve: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delayMs)
    register(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** Its rejection is seen when it is awaited, which may be later than Node waits. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
