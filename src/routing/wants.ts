/**
 * What a request for quotes wants, as a decision asks it: the same words for the router that decides and for whoever
 * decides again.
 * @module
 */
import { present, type QuoteRequest } from '../../kinds/index.ts'
import type { Wants } from './policy.ts'

/** `at`: unix seconds of the decision. Without a cap any price will do. */
export function wantsOf(request: QuoteRequest, at: number): Wants {
  const { kind, model, capMsats, deadlineMs, privacy, allow, deny, region, determinism, minScore, terms } = request
  return present({
    ...{ kind, model, deadlineMs, privacy, allow, deny, region, determinism, minScore, at, terms: terms?.word },
    capMsats: capMsats === undefined ? Number.POSITIVE_INFINITY : Number(capMsats),
    explore: request.explore === true,
  })
}
