/**
 * The fee of a router: paid only under a cap of its own, through the same guard as every bill, and never twice.
 * @module
 */
import { present } from '../../kinds/index.ts'
import { aborted, seconds } from '../clock.ts'
import { askSeconds, deadSeconds } from '../job.ts'
import type { Journal, Order } from '../journal/journal.ts'
import { payUntilCertain } from '../payments/certain.ts'
import { checkQuote } from '../payments/guard.ts'
import type { Payer } from '../payments/payment.ts'
import type { ClientOptions } from './client.ts'
import type { FeeBill } from './quotes.ts'
import { spentBy } from './spent.ts'

export interface RouterFeeOptions extends Pick<ClientOptions, 'clock' | 'payer' | 'network' | 'nodeKey' | 'caps'> {
  readonly journal: Journal
  /** The client's own key. */
  readonly pubkey: string
  /** Most that one router may cost for one request. */
  readonly feeCapMsats: bigint
  /** Fires when nobody asks the wallet any more: the next process does. */
  readonly life: AbortSignal
}

export type FeeEnd =
  | { readonly ok: true; readonly msats: bigint }
  | { readonly ok: false; readonly code: string; readonly says: string; readonly msats: bigint }

/** How long the wallet may take before another way is gone; the payment is asked about on. */
const waitMs = 15_000

/** Pays one bill. Written before it leaves; what the wallet does not tell in time counts as spent. Never rejects. */
export async function payRouter(options: RouterFeeOptions, bill: FeeBill, signal?: AbortSignal): Promise<FeeEnd> {
  const { journal, clock, payer, network, nodeKey, caps, feeCapMsats, pubkey } = options
  const { router, request } = bill
  const { orders } = journal
  const now = seconds(clock)
  const all = orders.list({ job: request, limit: 500 })
  const mine = all.filter(({ peer }) => peer === router)
  const verdict = checkQuote({
    ...{ job: request, quotedJob: request, ours: id => id === request, self: [pubkey] },
    ...{ quotedBy: router, chosen: router, now, orders: mine },
    ...present({ msats: bill.msats, bolt11: bill.bolt11 }),
    ...(payer ? { wallet: { network, ...(nodeKey === undefined ? {} : { nodeKey }) } } : {}),
    caps: { jobMsats: feeCapMsats, ...caps },
    spent: spentBy(orders, mine, router, now),
    seenHashes: hash => orders.get(hash) !== undefined,
  })
  if (!verdict.ok || !payer) {
    const says = verdict.ok ? 'There is no wallet.' : verdict.says
    const over = !verdict.ok && verdict.rule === 'over-cap'
    return {
      ...{ ok: false, msats: 0n, code: over ? 'fee-over-cap' : `fee-${verdict.ok ? 'no-wallet' : verdict.rule}` },
      says: over ? `The router asks ${bill.msats} msats and ${feeCapMsats} were allowed: --router-fee-msats.` : says,
    }
  }
  const { order } = verdict
  if (!orders.plan({ ...order, job: request, peer: router, purpose: 'own', at: now }))
    return { ok: false, code: 'fee-hash-seen', says: 'The invoice of the router was ordered before.', msats: 0n }
  const paying = settle(options, payer, order)
  const late = Promise.withResolvers<undefined>()
  const stop = clock.after(waitMs, () => late.resolve(undefined))
  const end = await Promise.race([paying, late.promise, aborted(signal)]).catch(() => undefined)
  stop()
  if (end === 'paid' || end === 'unproven') return { ok: true, msats: order.msats }
  if (end !== undefined) return { ok: false, code: 'fee-failed', says: 'The fee could not be paid.', msats: 0n }
  return {
    ok: false,
    code: 'fee-unknown',
    says: 'The wallet has not said whether it paid the fee.',
    msats: order.msats,
  }
}

/** Fees that an earlier process ordered and did not hear the end of. */
export async function resumeFees(
  options: Pick<RouterFeeOptions, 'journal' | 'clock' | 'payer' | 'life'>,
): Promise<void> {
  const { journal, payer } = options
  const left = journal.orders.list({ state: 'planned', limit: 500 }).filter(isFee)
  if (payer) await Promise.all(left.map(order => settle(options, payer, order, true)))
}

/** Payments by hand name no job. */
const isFee = ({ purpose, job, peer }: Order): boolean => purpose === 'own' && job !== undefined && peer !== undefined

/** Asks until the wallet is certain, and writes down what it says. `undefined` when nobody waits any more. */
async function settle(
  { journal, clock, life }: Pick<RouterFeeOptions, 'journal' | 'clock' | 'life'>,
  payer: Payer,
  order: Pick<Order, 'bolt11' | 'hash' | 'msats'>,
  sentBefore = false,
): Promise<'paid' | 'unproven' | 'failed' | undefined> {
  const said = await payUntilCertain(order, { payer, clock, sentBefore, askSeconds, deadSeconds }, life)
  if (said === undefined) return undefined
  const state = said.state === 'unsent' ? 'failed' : said.state
  const proof = said.state === 'paid' ? { preimage: said.preimage, feeMsats: said.feeMsats } : {}
  journal.orders.end(order.hash, { state, ...proof, at: seconds(clock) })
  return state
}
