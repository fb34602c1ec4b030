/**
 * Whether a routing event is what its own inputs lead to: the same functions over the published sample, with the revealed
 * seed, by whichever router.
 * @module
 */
import type { QuoteRequest, Routing } from '../../kinds/index.ts'
import { type Params, paramsHash } from '../ledger/index.ts'
import { openDice, openPolicy, type Policy, redecide } from '../routing/index.ts'
import { wantsOf } from '../routing/wants.ts'

/** True where parameters and policy are known here and the candidates that the router named itself come out again. */
export function openAgreement(params: Params): (routing: Routing, request: QuoteRequest) => boolean {
  const hash = paramsHash(params)
  return (routing, request) => {
    const policy = routing.params === hash ? policyOf(routing.policy) : undefined
    if (!policy) return false
    const dice = openDice(routing.seed, routing.request)
    return redecide(routing, wantsOf(request, routing.at), policy, dice, params).faults.length === 0
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
