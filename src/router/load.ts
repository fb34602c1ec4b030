/**
 * Whom this router named moments ago: until a node says itself how busy it is, whoever was sent customers counts as
 * busier, so that a crowd of requests does not meet at one door.
 * @module
 */
import { bounded } from '../bounded.ts'
import type { Clock } from '../clock.ts'

export interface Load {
  named(node: string): void
  /** Customers that were sent to this node within the last seconds. */
  of(node: string): number
}

const aliveMs = 4_000
const most = 10_000
const perNode = 1_000

export function openLoad(clock: Clock): Load {
  const sent = bounded<string, number[]>(most)
  const fresh = (node: string) => (sent.get(node) ?? []).filter(at => clock.now() - at < aliveMs)
  return {
    named: node => sent.set(node, [...fresh(node).slice(1 - perNode), clock.now()]),
    of: node => fresh(node).length,
  }
}
