/** What stands in a queue of deadlines; the queue alone writes these. */
export interface Due {
  due: number
  /** In the queue's heap; −1 outside. */
  place: number
}

/** Items by their deadlines, each at most once: a binary heap in which items know their places. O(log n) each. */
export class Deadlines<T extends Due> {
  readonly #heap: T[] = []

  get size(): number {
    return this.#heap.length
  }

  /** The item that is due first. */
  get first(): T | undefined {
    return this.#heap[0]
  }

  /** Enters an item, or moves it. */
  set(item: T, due: number): void {
    item.due = due
    if (item.place < 0) {
      item.place = this.#heap.length
      this.#heap.push(item)
    }
    this.#settle(item)
  }

  /** Takes an item out; one that is not in it stays out. */
  delete(item: T): void {
    if (item.place < 0) return
    const last = this.#heap.pop()!
    if (last !== item) {
      this.#put(last, item.place)
      this.#settle(last)
    }
    item.place = -1
  }

  #settle(item: T): void {
    const heap = this.#heap
    for (let parent = (item.place - 1) >> 1; item.place > 0; parent = (item.place - 1) >> 1) {
      if (heap[parent].due <= item.due) break
      this.#swap(item, heap[parent])
    }
    for (;;) {
      const left = heap[2 * item.place + 1]
      const right = heap[2 * item.place + 2]
      const child = right !== undefined && right.due < left.due ? right : left
      if (child === undefined || child.due >= item.due) return
      this.#swap(item, child)
    }
  }

  #swap(one: T, other: T): void {
    const { place } = one
    this.#put(one, other.place)
    this.#put(other, place)
  }

  #put(item: T, place: number): void {
    this.#heap[place] = item
    item.place = place
  }
}
