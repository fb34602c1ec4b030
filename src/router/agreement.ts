/**
 * Whether a routing event is what its own inputs lead to: the same functions over the published sample, with the revealed
 * seed, by whichever router.
 * @module
 */
import type { QuoteRequest, Routing } from '../../kinds/index.ts'
import { type Params, paramsHash } from '../ledger/index.ts'
import { openDice, openPolicy, type Policy } from '../routing/index.ts'
import { orderOf } from '../routing/order.ts'
import { wantsOf } from './wants.ts'

/** True where parameters and policy are known here and the candidates that the router named itself come out again. */
export function openAgreement(params: Params): (routing: Routing, request: QuoteRequest) => boolean {
  const hash = paramsHash(params)
  return (routing, request) => {
    const policy = routing.params === hash ? policyOf(routing.policy) : undefined
    if (!policy) return false
    const dice = openDice(routing.seed, routing.request)
    dice.next()
    const start = dice.next()
    const wants = wantsOf(request, routing.at)
    const again = {
      start,
      laneAllowed: true,
      order: orderOf(routing.sample, routing.lane, wants, routing.median, policy, dice, params),
    }
    const own = routing.candidates.filter(({ via }) => via === undefined).map(({ node }) => node)
    return again.laneAllowed && again.start === routing.start && own.every((node, place) => again.order[place] === node)
  }
}

/** A stranger may name anything. */
function policyOf(name: string): Policy | undefined {
  try {
    return openPolicy(name)
  } catch {
    return undefined
  }
}
