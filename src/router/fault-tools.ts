/**
 * What a judge of faults brings, assembled from the rooms of the house.
 * @module
 */
import { type Event, quoteRequest, type Routing } from '../../kinds/index.ts'
import { defaultParams, type FaultTools, paramsHash, type Redecided } from '../ledger/index.ts'
import { readInvoice } from '../payments/bolt11.ts'
import { verifyReceipt } from '../payments/zap.ts'
import { openDice, openPolicy, type Policy, redecide, wantsOf } from '../routing/index.ts'
import { openConversation, openUnder } from '../seal/under-preimage.ts'

/** Signatures only: nobody is believed about what was not heard, so rules that need a witness stay open. */
export const faultTools = (verify: (event: Event) => boolean): FaultTools => ({
  verify,
  invoice: readInvoice,
  openConversation,
  openUnder,
  judgeReceipt: verifyReceipt,
  redecide: redecided,
})

/** A decision made again; `undefined` where request, policy or parameters are not known here. */
export function redecided(said: Routing): Redecided | undefined {
  const request = said.asked && quoteRequest.read(said.asked)
  const policy = said.params === paramsHash(defaultParams) ? policyOf(said.policy) : undefined
  if (!request?.ok || !policy) return undefined
  return redecide(said, wantsOf(request.value, said.at), policy, openDice(said.seed, said.request), defaultParams)
}

/** A stranger may name anything. */
export function policyOf(name: string): Policy | undefined {
  try {
    return openPolicy(name)
  } catch {
    return undefined
  }
}
