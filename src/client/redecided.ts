/**
 * A router's decision made again: same request, same sample, same dice, same order.
 * @module
 */
import { quoteRequest, type RoutedCandidate, type Routing } from '../../kinds/index.ts'
import { defaultParams, paramsHash } from '../ledger/index.ts'
import { openDice, policies } from '../routing/index.ts'
import { inRingOrder } from '../routing/market.ts'
import { orderOf } from '../routing/order.ts'
import { type Conditions, keeps } from './conditions.ts'
import type { Lie } from './routing-check.ts'
import { wantsOf } from './wants.ts'

/** Differences of a place on the ring that are only spelling. */
const spelling = 1e-12

/** What is wrong with the decision in a routing event, or `undefined`. `own`: candidates that no other router named. */
export function redecided(said: Routing, conditions: Conditions, own: readonly RoutedCandidate[]): Lie | undefined {
  const request = said.asked && quoteRequest.read(said.asked)
  if (!request?.ok) return { rule: 'request', says: 'The request that it embeds cannot be read.' }
  if (said.params !== paramsHash(defaultParams))
    return { rule: 'params', says: 'It decided with parameters that are not known here.' }
  const policy = policies.get(said.policy)
  if (!policy) return { rule: 'policy', says: `The policy "${said.policy.slice(0, 24)}" is not known here.` }
  const ruled = said.sample.find(
    ({ node, msats, score }) => msats > Number(conditions.capMsats) || keeps({ node, score }, conditions),
  )
  if (ruled) return { rule: 'sample', says: 'Its sample holds a node that was ruled out.' }
  const dice = openDice(said.seed, said.request)
  const lot = dice.next()
  const start = dice.next()
  const wants = wantsOf(request.value, said.at)
  if (Math.abs(start - said.start) > spelling) return { rule: 'order', says: 'The draw began at another place.' }
  if (said.lane === 'exploration' && lot >= defaultParams.explore)
    return { rule: 'order', says: 'The dice sent nobody to a newcomer.' }
  const ring = said.sample.filter(one => !isNewcomer(one))
  if (ring.some(({ node }, at) => at > 0 && inRingOrder(ring[at - 1]?.node ?? '', node, start) >= 0))
    return { rule: 'sample', says: 'Its sample is not in the order of the ring.' }
  const order = orderOf(said.sample, said.lane, wants, said.median, policy, dice, defaultParams)
  if (order.join() !== own.map(({ node }) => node).join())
    return { rule: 'order', says: 'Its own dice and sample lead to another order.' }
  return undefined
}

const isNewcomer = (one: object): boolean => 'newcomer' in one
