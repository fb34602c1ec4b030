/**
 * What gridstr promises across events, as data. Each promise is kept by at least one test that cites it; the house test
 * fails for one that nobody keeps.
 * @module
 */
import { test } from 'vitest'

export const promises = {
  'pay.once': 'Nobody pays one job twice.',
  'pay.chosen': 'A client pays the node that it chose, for the job that it asked, and nobody else.',
  'pay.cap': 'A client never pays more than it allowed.',
  'pay.exact': 'What is paid is what the invoice itself says, not what stands beside it.',
  'work.paid': 'Nothing unpaid is delivered beyond credit.',
  'job.ends': 'Every accepted job ends in exactly one end.',
  'job.late-money': 'Money that comes too late is kept as the customer’s credit, not lost.',
  'job.refused': 'A job that cannot be served is refused with a reason before anything is billed.',
  'job.cancelled': 'A withdrawn job is not worked on and not answered.',
  'job.again': 'A job that comes twice is one job.',
  'job.survives': 'A job whose client, node or wallet is killed comes back to the same end and the same money.',
  'pay.spent': 'What was spent in an hour, in a day and on one node stays under its caps, over restarts too.',
  'pay.parts': 'Who pays in parts pays each part before it is made, and nothing for what is not made.',
  'pay.hold': 'Who pays by hold gets the answer or the money back, and so does the node its money or its silence.',
  'pay.escrow': 'Money in escrow moves by the verifier’s word alone, and comes back without one.',
  'pay.splits':
    'Who shares in a price gets its share once and exactly, and all of them together no more than the price.',
  'pay.after': 'Nobody owes more than the line that his payments have earned.',
  'pay.back': 'Money that bought nothing pays for the next job or comes back.',
  'proof.preimage': 'A payment counts as proven only by a preimage that opens the payment hash.',
  'proof.receipt': 'A zap receipt is published for a paid job and believed only after every check.',
  'pay.metered':
    'What is paid by the token is cost and credit, never more than the bill, and the bill never more than the bid.',
  'session.once': 'One key is one job and one payment, also across processes.',
  'session.budget': 'What a session spent and set aside never passes its budget.',
  'stream.whole': 'The frames of an answer joined are its result, or the customer is told.',
  'payload.whole':
    'What is too large for one event comes whole or is refused, and a relay that falls on the way costs time only.',
  'privacy.wrapped': 'A job of level 2 leaves and comes in wraps alone, and no relay is asked about it.',
  'privacy.told': 'What is told of the privacy of a question is never better than what happened.',
  'privacy.sealed': 'No relay sees the question or the answer of a targeted job.',
  'pay.failover':
    'However many nodes are asked for one answer, one cap holds for all, and never two of them may be paid at once.',
  'route.recomputed':
    'A router is believed only where the same order comes out again and the nodes themselves say the same.',
  'route.unneeded': 'Losing a router changes nothing for a job that it named somebody for.',
  'attest.forged': 'No forged receipt is attested as settled, and every honest one is.',
  'relay.outage': 'A relay that dies in mid-job and comes back does not lose the job.',
  'relay.hostile': 'What a hostile relay or stranger sends costs nothing but itself.',
  'node.deaf': 'A node says that it is alive only after it heard itself through the relay.',
  'secrets.kept': 'Secrets are in no log, no event and no JSON but those that are asked to print them.',
} as const

export type PromiseId = keyof typeof promises

/** A test that keeps a promise. */
export function keeps(id: PromiseId, how: string, body: () => void | Promise<void>, ms?: number): void {
  test(`${id}: ${how}`, body, ms)
}
