/**
 * What a request for quotes wants, as the routing room asks it: whoever recomputes a decision reads the same.
 * @module
 */
import { present, type QuoteRequest } from '../../kinds/index.ts'
import type { Wants } from '../routing/policy.ts'

/** Who asks for a least score wants nobody without a record: no newcomer is tried out on such a request. `at`: unix seconds. */
export function wantsOf(request: QuoteRequest, at: number): Wants {
  const { capMsats, terms, minScore } = request
  const { kind, model, deadlineMs, privacy, allow, deny, region, determinism } = request
  return present({
    ...{ kind, model, deadlineMs, privacy, allow, deny, region, determinism, minScore, at, terms: terms?.word },
    capMsats: capMsats === undefined ? Number.POSITIVE_INFINITY : Number(capMsats),
    explore: minScore === undefined,
  })
}
