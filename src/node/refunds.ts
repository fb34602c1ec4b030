/**
 * Kept money goes back when its owner claims it (kind 4637): once, for at most what is kept, and after any doubt by
 * asking the wallet. The movement is written before the payment leaves.
 * @module
 */
import { creditClaim, type Event } from '../../kinds/index.ts'
import { lru } from '../bounded.ts'
import { type Clock, seconds } from '../clock.ts'
import { askSeconds, deadSeconds } from '../job.ts'
import type { Journal, Order } from '../journal/journal.ts'
import { readInvoice } from '../payments/bolt11.ts'
import { payUntilCertain } from '../payments/certain.ts'
import type { Network, Payer } from '../payments/payment.ts'
import type { NodeEvent } from './node-event.ts'

export interface RefundsOptions {
  readonly journal: Journal
  readonly clock: Clock
  readonly payer: Payer
  /** Of the wallet; absent until it is known: claims wait. */
  network(): Promise<Network | undefined>
  /** The node's own key. */
  readonly node: string
  /** Says to whoever claimed too much for a job how much is kept. */
  left(customer: string, job: string, msats: bigint): void
  tell(event: NodeEvent): void
  readonly signal: AbortSignal
}

export interface Refunds {
  /**
   * Takes a verified claim out of its wrap. Who claims more than is kept of a job that was billed here is told what is left;
   * others are not answered.
   */
  take(claim: Event): void
  /** Asks what became of refunds that an earlier process had begun. */
  resume(): void
}

/** Claims that are looked at at one time. */
const room = 64
/** A refund that takes longer holds up nobody else: whoever claims can let a payment hang for days. */
const stuckMs = 60_000
/** Refunds under way, stuck ones included. */
const mostUnderWay = 1_024
/** Between two answers to one claim. */
const toldSeconds = 10
/** Blocks for which a refund may lock our money. */
const maxCltv = 288

export function openRefunds(options: RefundsOptions): Refunds {
  const { journal, clock, payer, tell, signal } = options
  const busy = new Set<string>()
  let quick = 0
  const told = lru<string, number>(1_000)

  /** What is not certain yet is not told: work that goes on, and refunds that may still fail. */
  function tellLeft(customer: string, job: string) {
    const { jobs, bills, orders } = journal
    const known = bills.list({ customer, job, limit: 1 }).length + bills.credits({ customer, job, limit: 1 }).length
    const row = jobs.find('node', job)
    const flying = orders.list({ state: 'planned', limit: mostUnderWay })
    if (known === 0 || (row && row.endedAt === undefined)) return
    if (flying.some(one => one.purpose === 'refund' && one.peer === customer)) return
    const key = `${customer}:${job}`
    if (seconds(clock) - (told.get(key) ?? 0) < toldSeconds) return
    told.set(key, seconds(clock))
    options.left(customer, job, bills.creditMsats(customer))
  }

  /** The order, written together with the debit, or why there is none. */
  async function plan(event: Event): Promise<Order | string> {
    const read = creditClaim.read(event)
    if (!read.ok || read.value.node !== options.node) return 'This is no claim for this node.'
    const { job, bolt11 } = read.value
    const invoice = readInvoice(bolt11)
    if (!invoice.ok) return invoice.says
    const { hash, msats, expiresAt, minFinalCltvDelta, network } = invoice.invoice
    const mine = await options.network()
    if (mine === undefined || network !== mine) return 'The invoice is of another network than the wallet.'
    if (msats === undefined) return 'The invoice names no amount.'
    if (expiresAt <= seconds(clock) + 5 || minFinalCltvDelta > maxCltv) return 'The invoice cannot be paid any more.'
    const at = seconds(clock)
    const customer = event.pubkey
    return journal.atomically(() => {
      if (journal.orders.get(hash)) return 'This invoice was ordered before.'
      const debit = { id: `refund:${hash}`, customer, job, msats: -msats, why: 'refund', at }
      if (!journal.bills.credit(debit)) {
        tellLeft(customer, job)
        return 'So much is not kept for this customer.'
      }
      journal.orders.plan({ hash, job, peer: customer, purpose: 'refund', bolt11, msats, at })
      return journal.orders.get(hash) ?? 'The order could not be written.'
    })
  }

  async function pay(order: Order, sentBefore: boolean): Promise<void> {
    const { hash, msats, job = '', peer = '' } = order
    const said = await payUntilCertain(order, { payer, clock, sentBefore, askSeconds, deadSeconds }, signal)
    if (said === undefined) return
    const state = said.state === 'unsent' ? 'failed' : said.state
    const at = seconds(clock)
    journal.atomically(() => {
      const proof = said.state === 'paid' ? { preimage: said.preimage, feeMsats: said.feeMsats } : {}
      journal.orders.end(hash, { state, ...proof, at })
      if (state === 'failed')
        journal.bills.credit({ id: `unrefund:${hash}`, customer: peer, job, msats, why: 'refund failed', at })
    })
    const about = { job, customer: peer, msats }
    tell({ ...about, event: state === 'failed' ? 'trouble' : 'refunded', says: `The refund is ${state}.` })
  }

  const run = (key: string, work: () => Promise<void>) => {
    if (busy.has(key) || quick >= room || busy.size >= mostUnderWay) return
    busy.add(key)
    quick++
    let counted = true
    const free = () => {
      if (counted) quick--
      counted = false
    }
    const stop = clock.after(stuckMs, free)
    void work()
      .catch(error => signal.aborted || tell({ event: 'trouble', says: `refund: ${String(error)}` }))
      .finally(() => {
        busy.delete(key)
        stop()
        free()
      })
  }

  return {
    take(claim) {
      run(claim.pubkey, async () => {
        const order = await plan(claim)
        if (typeof order === 'string') tell({ event: 'trouble', customer: claim.pubkey, says: `No refund: ${order}` })
        else await pay(order, false)
      })
    },
    resume() {
      for (const order of journal.orders.list({ state: 'planned', limit: mostUnderWay }))
        if (order.purpose === 'refund') run(order.hash, () => pay(order, true))
    },
  }
}
