/**
 * Newcomers in a few slots: one finishes before the next begins, because a little work spread over everybody who knocks
 * proves nobody. A bond or proof of work orders the queue and buys nothing else.
 * @module
 */

export interface Newcomer {
  readonly node: string
  /** What its bond is worth now. */
  readonly bondUnits: number
  /** Bits of proof of work on its announcement. */
  readonly powBits: number
  /** When it asked first, unix seconds. */
  readonly at: number
}

export interface Cohort {
  /** Asks for a slot. `full`: the queue holds only better ones. Who asks again with more moves up and keeps its time. */
  ask(newcomer: Newcomer): 'in' | 'waiting' | 'full'
  /** Proven, ejected, banned or gone: frees its slot for the first in the queue. */
  leave(node: string): void
  /** Whether a node has a slot. */
  has(node: string): boolean
  /** Who has a slot, in the order in which they came in: the first is to be finished first. */
  members(): readonly string[]
  readonly size: number
  readonly waiting: number
}

/** An empty cohort of `slots` newcomers at once, with a queue of at most `most`. */
export function openCohort(slots: number, most = 100_000): Cohort {
  let members: readonly string[] = []
  const inside = new Set<string>()
  const queued = new Map<string, Newcomer>()
  // Sorted; what is before `head` has left. Most newcomers come last, so that a sorted row is as fast as a heap.
  let queue: Newcomer[] = []
  let head = 0

  const enter = (node: string) => {
    inside.add(node)
    members = [...members, node]
  }

  /** First place whose newcomer is not before this one. */
  const placeOf = (newcomer: Newcomer): number => {
    let low = head
    let high = queue.length
    while (low < high) {
      const middle = (low + high) >> 1
      const other = queue[middle]
      if (other && compare(other, newcomer) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  const drop = (newcomer: Newcomer) => {
    queued.delete(newcomer.node)
    queue.splice(placeOf(newcomer), 1)
  }

  const next = (): Newcomer | undefined => {
    const first = queue[head]
    if (!first) return undefined
    queued.delete(first.node)
    head++
    if (head > 1024 && head * 2 > queue.length) {
      queue = queue.slice(head)
      head = 0
    }
    return first
  }

  return {
    ask(asked) {
      const { node } = asked
      if (inside.has(node)) return 'in'
      const before = queued.get(node)
      const newcomer = { ...asked, at: Math.min(asked.at, before?.at ?? asked.at) }
      if (before) {
        if (compare(newcomer, before) === 0) return 'waiting'
        drop(before)
      }
      if (inside.size < slots) {
        enter(node)
        return 'in'
      }
      if (queued.size >= most) {
        const last = queue.at(-1)
        if (!last || head >= queue.length || compare(last, newcomer) <= 0) return 'full'
        drop(last)
      }
      queued.set(node, newcomer)
      queue.splice(placeOf(newcomer), 0, newcomer)
      return 'waiting'
    },
    leave(node) {
      const waiting = queued.get(node)
      if (waiting) drop(waiting)
      if (!inside.delete(node)) return
      members = members.filter(one => one !== node)
      const following = next()
      if (following) enter(following.node)
    },
    has: node => inside.has(node),
    members: () => members,
    get size() {
      return inside.size
    },
    get waiting() {
      return queued.size
    },
  }
}

/** More at stake first, then more work, then who asked earlier; the name only where all of that is the same. */
const compare = (a: Newcomer, b: Newcomer): number =>
  b.bondUnits - a.bondUnits || b.powBits - a.powBits || a.at - b.at || (a.node < b.node ? -1 : a.node > b.node ? 1 : 0)
