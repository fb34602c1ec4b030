/**
 * From a sample to an order: what `decide` does with its own sample and `redecide` with a published one.
 * @module
 */
import type { Params } from '../ledger/params.ts'
import { type Dice, mostNamed, type Policy, type Sampled, type Wants } from './policy.ts'

/** Best first, each of the sample at most once, at most six, whatever a policy says. Draws a newcomer first where one is due. */
export function orderOf(
  sample: readonly Sampled[],
  lane: string,
  wants: Wants,
  median: number,
  policy: Policy,
  dice: Dice,
  params: Params,
): string[] {
  const newcomers = lane === 'exploration' ? sample.filter(one => one.newcomer) : []
  const others = newcomers.length > 0 ? sample.filter(one => !one.newcomer) : sample
  // The price chooses no newcomer, or a bait would.
  const first = newcomers.length > 0 ? newcomers[Math.floor(dice.next() * newcomers.length)] : undefined
  const order = new Set<string>(first ? [first.node] : [])
  const known = new Set(sample.map(one => one.node))
  if (others.length > 0)
    for (const node of policy.choose(others, wants, median, dice, params)) if (known.has(node)) order.add(node)
  for (const { node } of newcomers) order.add(node)
  return [...order].slice(0, mostNamed)
}
