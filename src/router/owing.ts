/**
 * What nodes owe: answers that customers of this router have paid for and not got, as far as the papers show. A node has
 * credit for as many as it says that it can work on at once; whoever takes more money than that gets no more customers
 * until it has delivered, or the time for it is over and the outcome is judged.
 * @module
 */
import { bounded } from '../bounded.ts'

export interface Owing {
  /** A job that this router sent to a node, as it stands now. Gives whether that changes what the node owes. */
  stands(job: string, node: string, owed: boolean): boolean
  /** More than `slots` answers are owed. */
  isOver(node: string, slots: number): boolean
}

const mostNodes = 10_000
/** Answers that one node is known to owe; more change nothing. */
const mostJobs = 256
/** For a node that does not say how many jobs it works on at once. */
const unsaidSlots = 8

export function openOwing(): Owing {
  const nodes = bounded<string, Set<string>>(mostNodes)
  return {
    stands(job, node, owed) {
      const jobs = nodes.get(node)
      if (!owed) {
        const had = jobs?.delete(job) === true
        if (jobs?.size === 0) nodes.delete(node)
        return had
      }
      if (jobs?.has(job) || (jobs?.size ?? 0) >= mostJobs) return false
      nodes.set(node, (jobs ?? new Set()).add(job))
      return true
    },
    isOver: (node, slots) => (nodes.get(node)?.size ?? 0) > (Number.isFinite(slots) ? slots : unsaidSlots),
  }
}
