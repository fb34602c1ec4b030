/**
 * Who has been silent longest, asked seldom: a heap whose keys are brought up to date only when they come to the top.
 * @module
 */

export interface SilenceQueue<T> {
  add(item: T): void
  /** The member that has been silent longest, without those that left. */
  first(): T | undefined
  /** Forgets those that left. */
  tidy(): void
  /** Members, and those that left and were not forgotten yet. */
  readonly size: number
}

/** `since` says since when a member is silent (it only grows), `isIn` whether it is still one. */
export function silenceQueue<T>(since: (item: T) => number, isIn: (item: T) => boolean): SilenceQueue<T> {
  let heap: { item: T; key: number }[] = []

  function down(start: number): void {
    const moved = heap[start]
    if (!moved) return
    let at = start
    for (;;) {
      let child = 2 * at + 1
      let least = heap[child]
      const right = heap[child + 1]
      if (least && right && right.key < least.key) {
        least = right
        child++
      }
      if (!least || least.key >= moved.key) break
      heap[at] = least
      at = child
    }
    heap[at] = moved
  }

  function up(start: number): void {
    const moved = heap[start]
    if (!moved) return
    let at = start
    while (at > 0) {
      const parent = (at - 1) >> 1
      const over = heap[parent]
      if (!over || over.key <= moved.key) break
      heap[at] = over
      at = parent
    }
    heap[at] = moved
  }

  function drop(): void {
    const last = heap.pop()
    if (!last || heap.length === 0) return
    heap[0] = last
    down(0)
  }

  return {
    add(item) {
      heap.push({ item, key: since(item) })
      up(heap.length - 1)
    },
    first() {
      for (let top = heap[0]; top; top = heap[0]) {
        const key = since(top.item)
        if (!isIn(top.item)) drop()
        else if (key > top.key) {
          top.key = key
          down(0)
        } else return top.item
      }
      return undefined
    },
    tidy() {
      heap = heap
        .filter(({ item }) => isIn(item))
        .map(({ item }) => ({ item, key: since(item) }))
        .sort((a, b) => a.key - b.key)
    },
    get size() {
      return heap.length
    },
  }
}
