/**
 * A router's decision made again: same request, same sample, same dice, same order.
 * @module
 */
import { quoteRequest, type Routing } from '../../kinds/index.ts'
import { defaultParams, paramsHash } from '../ledger/index.ts'
import { openDice, openPolicy, type Policy, redecide } from '../routing/index.ts'
import { wantsOf } from '../routing/wants.ts'
import type { Lie } from './routing-check.ts'

/** What does not follow in a routing event, or `undefined`. */
export function redecided(said: Routing): Lie | undefined {
  const request = said.asked && quoteRequest.read(said.asked)
  if (!request?.ok) return { rule: 'request', says: 'The request that it embeds cannot be read.' }
  if (said.params !== paramsHash(defaultParams))
    return { rule: 'params', says: 'It decided with parameters that are not known here.' }
  const policy = policyOf(said.policy)
  if (!policy) return { rule: 'policy', says: `The policy "${said.policy.slice(0, 24)}" is not known here.` }
  const dice = openDice(said.seed, said.request)
  const [fault] = redecide(said, wantsOf(request.value, said.at), policy, dice, defaultParams).faults
  return fault && { rule: fault.rule, says: `Its decision does not come out again: ${fault.says}.` }
}

/** A stranger may name anything. */
function policyOf(name: string): Policy | undefined {
  try {
    return openPolicy(name)
  } catch {
    return undefined
  }
}
