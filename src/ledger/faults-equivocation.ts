/**
 * E1: two signed statements of which one at most can be meant.
 * @module
 */
import { attestation, bondEntry, routing, textResult, usageReceipt } from '../../kinds/index.ts'
import { sha256Hex } from '../hash.ts'
import { check, type FaultCase, type FaultRule } from './fault-case.ts'

interface Claim {
  readonly id: string
  /** What can be said once only. */
  readonly slot: string
  readonly said: string
}

const plain = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part))

/**
 * What the accused can have said once only. Not here: quotes, announcements, scores and leases, which may be renewed;
 * bills, which may be written again when an invoice expired; the place in the chain of usage receipts, which a provider
 * that lost its disk counts anew; answers of which only the ciphertext differs.
 */
function claimsOf(matter: FaultCase): Claim[] {
  return [
    ...matter.own(textResult).map(({ event, value: { job, text, sealedUnder } }) => ({
      id: event.id,
      slot: `result ${job}`,
      said: sealedUnder?.digest ?? sha256Hex(text),
    })),
    ...matter.own(usageReceipt).map(({ event, value: { job, msats, promptTokens, outputTokens, payments } }) => ({
      id: event.id,
      slot: `usage ${job}`,
      said: plain([msats, promptTokens, outputTokens, payments]),
    })),
    ...matter.own(routing).flatMap(({ event, value: { request, seq, candidates, refusal } }) => [
      {
        id: event.id,
        slot: `route ${request}`,
        said: plain([candidates.map(one => [one.node, one.msats]), refusal?.code]),
      },
      { id: event.id, slot: `log ${seq}`, said: event.id },
    ]),
    ...matter
      .own(attestation)
      .map(({ event, value: { seq } }) => ({ id: event.id, slot: `log ${seq}`, said: event.id })),
    ...matter.own(bondEntry).map(({ event, value: { bond, seq, act, units, at, prev, verdict } }) => ({
      id: event.id,
      slot: `bond ${bond} ${seq}`,
      said: plain([act, units, at, prev, verdict]),
    })),
  ]
}

/** Two results of one job, receipts of one job, routes of one request, entries at one place of a log or of a bond. */
export const equivocation: FaultRule = {
  id: 'E1',
  says: 'It signed two statements of which one at most can be meant.',
  basis: 'signed',
  share: 1_000,
  *judge(matter) {
    const claims = claimsOf(matter)
    const pairs = claims.flatMap((one, at) => claims.slice(at + 1).map(other => [one, other] as const))
    const same = pairs.filter(([one, other]) => one.slot === other.slot && one.id !== other.id)
    yield check('same-place', same.length > 0)
    yield check(
      'differ',
      same.some(([one, other]) => one.said !== other.said),
    )
  },
}
