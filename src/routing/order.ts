/**
 * From a sample to an order: what `decide` does with its own sample and `redecide` with a published one.
 * @module
 */
import type { Params } from '../ledger/params.ts'
import { type Dice, mostNamed, type Policy, type Sampled, type Wants } from './policy.ts'

/** Best first, each of the sample at most once, at most six, whatever a policy says. The first of an exploration is its newcomer. */
export function orderOf(
  sample: readonly Sampled[],
  lane: string,
  wants: Wants,
  median: number,
  policy: Policy,
  dice: Dice,
  params: Params,
): string[] {
  const skipped = lane === 'exploration' ? 1 : 0
  const others = skipped > 0 ? sample.slice(skipped) : sample
  const order: string[] = []
  const add = (one: Sampled | undefined) => {
    if (one && order.length < mostNamed && !order.includes(one.node)) order.push(one.node)
  }
  if (skipped > 0) add(sample[0])
  if (others.length > 0) for (const i of policy.choose(others, wants, median, dice, params)) add(others[i])
  return order
}
