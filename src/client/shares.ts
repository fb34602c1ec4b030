/**
 * Who shares in what a delivered job cost, and how much each of them gets.
 * @module
 */
import type { ClientAsk } from '../job/client-side.ts'
import type { ClientJob } from '../job.ts'
import { shareOf, splitShares } from '../payments/split.ts'
import type { NodeFacts, Opening } from './keeping.ts'
import { spentMsats } from './outcome.ts'

/** What one receiver beside the node gets. `says` tells why it gets nothing after all. */
export interface DueShare {
  readonly pubkey: string
  readonly msats: bigint
  readonly says?: string
}

/** What the node itself is paid of its announced price; `undefined` where it announced none. */
export function ownShare(of: {
  readonly announcement?: NodeFacts
  readonly ask: Pick<ClientAsk, 'node'>
}): bigint | undefined {
  const { announcement, ask } = of
  const { priceMsats, splits = [] } = announcement ?? {}
  return priceMsats === undefined || ask.node === undefined ? priceMsats : shareOf(priceMsats, splits, ask.node)
}

/**
 * The shares of the others once a job is delivered and its node is paid, in the measure in which it was paid: a node that
 * billed less than its share, because fewer parts were made, leaves less for everybody. Node and others together never
 * get more than the announced price.
 */
export function dueShares(opening: Opening, job: ClientJob): readonly DueShare[] {
  const { priceMsats, splits = [] } = opening.announcement ?? {}
  const node = opening.ask.node
  const own = ownShare(opening)
  if (job.state !== 'delivered' || !job.answer || !priceMsats || own === undefined || node === undefined) return []
  const others = splitShares(priceMsats, splits).filter(({ pubkey }) => pubkey !== node)
  const spent = spentMsats(job)
  if (spent > own) return others.map(({ pubkey, msats }) => ({ pubkey, msats, says: billedWhole }))
  if (own === 0n) return others.map(({ pubkey, msats }) => ({ pubkey, msats }))
  return others.map(({ pubkey, msats }) => ({ pubkey, msats: (msats * spent) / own })).filter(({ msats }) => msats > 0n)
}

const billedWhole = 'The node billed more than its own share: nothing is left of the price for the others.'
