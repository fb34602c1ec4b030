/**
 * Pays those who share in the price of a delivered job, each by a payment of its own: judged by the guard, written before
 * it leaves, sent once, and asked about until the wallet knows. One order per job and receiver, whatever happens.
 * @module
 */
import { type Event, present } from '../../kinds/index.ts'
import { aborted, seconds, timeLimit } from '../clock.ts'
import type { ClientJob } from '../job.ts'
import { askSeconds, deadSeconds } from '../job.ts'
import type { Journal, Order } from '../journal/journal.ts'
import { payUntilCertain } from '../payments/certain.ts'
import { checkQuote } from '../payments/guard.ts'
import type { Payer } from '../payments/payment.ts'
import type { AskEvent } from './ask.ts'
import type { ClientOptions } from './client.ts'
import type { Opening } from './keeping.ts'
import { type DueShare, dueShares } from './shares.ts'
import { spentBy } from './spent.ts'
import { openSplitBills, type SplitBill, type SplitBills } from './split-bills.ts'

/**
 * What became of a share. `refused`: the guard did not let its bill pass. `unanswered`: there was no bill in time.
 * `open`: nobody waited for the end; the next process takes it up. Money left only where it is `paid` or `unproven`.
 */
export type SplitState = 'paid' | 'unproven' | 'failed' | 'refused' | 'unanswered' | 'open'

export interface SplitOutcome {
  readonly pubkey: string
  readonly msats: bigint
  readonly state: SplitState
  /** The receiver's zap receipt, where it came and held. */
  readonly receipt?: Event
  readonly says?: string
}

export interface SplitsOptions
  extends Pick<ClientOptions, 'relays' | 'keys' | 'clock' | 'network' | 'payer' | 'nodeKey' | 'caps' | 'lnurl'> {
  readonly journal: Journal
  /** The customer's own key, whichever one asked. */
  readonly own: { readonly pubkey: string }
  tell(event: AskEvent): void
}

/** How long a receiver may take to bill. */
export const billMs = 10_000
const receiptMs = 5_000

/**
 * Resolves when every share has its end, or when `giveUp` fires. Rejects only when the journal cannot be written, and
 * then nothing left that is not in it.
 */
export async function paySplits(
  options: SplitsOptions,
  opening: Opening,
  job: ClientJob,
  giveUp: AbortSignal,
): Promise<readonly SplitOutcome[]> {
  const { payer, tell } = options
  const due = dueShares(opening, job)
  if (due.length === 0) return []
  const bills = openSplitBills(
    options,
    opening,
    due.map(({ pubkey }) => pubkey),
  )
  const settle = async (share: DueShare): Promise<SplitOutcome> => {
    const { pubkey, msats, says } = share
    const end = payer ? await paySplit({ ...options, payer, bills, opening, job, giveUp }, share) : noPayer
    const outcome = says === undefined ? { pubkey, msats, ...end } : { pubkey, msats, state: 'refused' as const, says }
    tell({ event: 'split', ...outcome })
    return outcome
  }
  try {
    await Promise.race([bills.live, aborted(giveUp)])
    return await Promise.all(due.map(settle))
  } finally {
    bills.close()
  }
}

const noPayer = { state: 'refused', says: 'There is no wallet to pay the share with.' } as const

type End = Omit<SplitOutcome, 'pubkey'> | Omit<SplitOutcome, 'pubkey' | 'msats'>

interface One extends SplitsOptions {
  readonly payer: Payer
  readonly bills: SplitBills
  readonly opening: Opening
  readonly job: ClientJob
  readonly giveUp: AbortSignal
}

async function paySplit(one: One, share: DueShare): Promise<End> {
  const { journal, clock, bills, opening, giveUp } = one
  if (share.says !== undefined) return { state: 'refused' }
  const known = orderOf(journal, opening.request.id, share.pubkey)
  if (known) return settleOrder(one, known, true)
  const patience = timeLimit(clock, billMs, giveUp)
  const bill = await bills.ask(share.pubkey, share.msats, patience.signal)
  patience.stop()
  if (!bill) return giveUp.aborted ? { state: 'open' } : { state: 'unanswered', says: 'There was no bill in time.' }
  const order = clear(one, share, bill)
  if (typeof order === 'string') return { state: 'refused', says: order }
  const end = await settleOrder(one, order, false)
  if (end.state !== 'paid') return end
  const late = timeLimit(clock, receiptMs, giveUp)
  const receipt = await bills.receipt(share.pubkey, bill, late.signal)
  late.stop()
  return receipt ? { ...end, receipt } : end
}

/** The one order of this share, whatever became of it. */
const orderOf = (journal: Journal, job: string, receiver: string): Order | undefined =>
  journal.orders.list({ job, limit: 500 }).find(({ purpose, peer }) => purpose === 'split' && peer === receiver)

/** Judges a bill and writes the order; or says why not. Nothing is awaited in between, so that no two shares pass one cap. */
function clear(one: One, { pubkey, msats }: DueShare, bill: SplitBill): Order | string {
  const { journal, clock, payer, network, nodeKey, caps, opening, job } = one
  const { orders } = journal
  const now = seconds(clock)
  const all = orders.list({ job: job.id, limit: 500 })
  const verdict = checkQuote({
    ...{ job: job.id, quotedJob: job.id, ours: id => id === job.id, self: [opening.request.pubkey, one.own.pubkey] },
    ...{ quotedBy: pubkey, chosen: pubkey, bolt11: bill.bolt11, announcedMsats: msats, now },
    ...present({ msats: bill.msats, terms: bill.terms }),
    ...(payer ? { wallet: { network, ...(nodeKey === undefined ? {} : { nodeKey }) } } : {}),
    expected: { descriptionHash: bill.descriptionHash },
    caps: { jobMsats: job.capMsats, ...caps },
    spent: spentBy(orders, all, pubkey, now),
    orders: all.filter(({ purpose, peer }) => purpose === 'split' && peer === pubkey),
    seenHashes: hash => orders.get(hash) !== undefined,
  })
  if (!verdict.ok) return verdict.says
  const row = { ...verdict.order, job: job.id, peer: pubkey, purpose: 'split' as const, at: now }
  return orders.plan(row) ? { ...row, state: 'planned' } : 'An invoice of this payment hash was ordered before.'
}

/** Sends the order once and asks until the wallet is certain. `sentBefore`: perhaps by an earlier process. */
async function settleOrder(one: One, order: Order, sentBefore: boolean): Promise<End> {
  const { journal, clock, payer, giveUp } = one
  const { hash, msats } = order
  if (order.state !== 'planned') return { state: order.state, msats }
  const said = await payUntilCertain(order, { payer, clock, sentBefore, askSeconds, deadSeconds }, giveUp)
  if (said === undefined) return { state: 'open', msats, says: `The wallet has not said whether it paid hash ${hash}.` }
  const state = said.state === 'unsent' ? 'failed' : said.state
  const proof = said.state === 'paid' ? { preimage: said.preimage, feeMsats: said.feeMsats } : {}
  journal.orders.end(hash, { state, ...proof, at: seconds(clock) })
  return { state, msats, ...('says' in said ? { says: said.says } : {}) }
}
