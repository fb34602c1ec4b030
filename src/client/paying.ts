/**
 * The client's money: what the guard says of a quote, the intent that is written before anything leaves, and what the
 * wallet's words mean for the job.
 * @module
 */
import { present, type WishedTerms } from '../../kinds/index.ts'
import { type Clock, seconds } from '../clock.ts'
import type { ClientFact, ClientJob, Quote } from '../job.ts'
import type { Journal } from '../journal/journal.ts'
import { readInvoice } from '../payments/bolt11.ts'
import { type Caps, checkQuote } from '../payments/guard.ts'
import type { Network, Payer, PayState } from '../payments/payment.ts'
import type { AskEvent } from './ask.ts'
import type { NodeFacts } from './keeping.ts'
import { spentBy } from './spent.ts'

export interface PayingOptions {
  readonly payer?: Payer
  readonly network: Network
  /** Lightning node of the own wallet, where it is ours alone. */
  readonly nodeKey?: string
  readonly clock: Clock
  readonly journal: Journal
  /** The client's own key. */
  readonly pubkey: string
  readonly chosen?: string
  readonly announcement?: NodeFacts
  readonly terms?: WishedTerms
  /** Beside the cap of the job itself. */
  readonly caps?: Omit<Caps, 'jobMsats'>
  tell(event: AskEvent): void
}

export interface Paying {
  /**
   * Judges a quote and, where it passes, writes the intent. `commitsTo`: what the invoice of a payment service commits to,
   * in place of a Lightning node that was announced.
   * A hash that was let through once is never let through for another job. */
  clear(job: ClientJob, quote: Quote, commitsTo?: string): ClientFact
  word(state: PayState): ClientFact
}

export function openPaying(options: PayingOptions): Paying {
  const { payer, network, nodeKey, clock, journal, chosen, announcement, terms, caps, tell } = options
  const { orders } = journal
  const barred = (code: string, says: string): ClientFact => ({ fact: 'barred', why: { code, says } })

  return {
    clear(job, quote, commitsTo) {
      const now = seconds(clock)
      const before = orders.list({ job: job.id })
      // Let through by a process that was killed before it could say so: nothing has left, and nothing is judged twice.
      const planned = before.find(
        ({ state, bolt11 }) => state === 'planned' && bolt11 === (quote.bolt11 ?? bolt11) && !job.pay,
      )
      if (planned) {
        const { bolt11, hash, msats } = planned
        const read = readInvoice(bolt11)
        const expiresAt = read.ok ? read.invoice.expiresAt : now
        return { fact: 'cleared', order: { bolt11, hash, msats, expiresAt } }
      }
      const keys =
        announcement && !announcement.custodial && announcement.nodeKeys.length > 0 ? announcement.nodeKeys : undefined
      const price = announcement?.priceMsats
      const peer = quote.by
      const verdict = checkQuote({
        job: job.id,
        quotedJob: job.id,
        ours: id => id === job.id,
        self: [options.pubkey],
        quotedBy: peer,
        ...(chosen === undefined ? {} : { chosen }),
        ...(quote.bolt11 === undefined ? {} : { bolt11: quote.bolt11 }),
        ...(quote.msats === undefined ? {} : { msats: quote.msats }),
        ...(quote.terms === undefined ? {} : { terms: quote.terms }),
        ...(terms === undefined ? {} : { wished: terms }),
        expected: commitsTo === undefined ? present({ nodeKeys: keys }) : { descriptionHash: commitsTo },
        ...(price === undefined ? {} : { announcedMsats: price }),
        ...(payer ? { wallet: { network, ...(nodeKey === undefined ? {} : { nodeKey }) } } : {}),
        caps: { jobMsats: job.capMsats, ...caps },
        spent: spentBy(orders, before, peer, now),
        orders: before,
        now,
        seenHashes: hash => orders.get(hash) !== undefined,
      })
      if (!verdict.ok) return barred(verdict.rule, verdict.says)
      const { order, invoice } = verdict
      // Nothing leaves before `cleared` is kept, and that carries this to the disk.
      if (!orders.plan({ ...order, job: job.id, peer, purpose: 'job', at: now }, 'plain'))
        return barred('hash-seen', 'An invoice of this payment hash was ordered before: look up that payment instead.')
      const billed = quote.terms ?? { word: job.answer ? ('after' as const) : ('before' as const) }
      const { msats, bolt11 } = order
      tell({ event: 'quote', by: quote.by, msats, bolt11, terms: billed, ...(terms ? { wished: terms } : {}) })
      return { fact: 'cleared', order: { ...order, expiresAt: invoice.expiresAt } }
    },
    word(state) {
      switch (state.state) {
        case 'paid':
          tell({ event: 'paid', preimage: state.preimage, feeMsats: state.feeMsats })
          return { fact: 'paid', preimage: state.preimage, feeMsats: state.feeMsats }
        case 'unproven':
          tell({ event: 'unproven', says: state.says })
          return { fact: 'unproven', why: { code: 'unproven', says: state.says } }
        case 'failed':
          return { fact: 'pay-failed', why: { code: state.code, says: state.says } }
        case 'unsent':
          return { fact: 'unsent', now: seconds(clock) }
        case 'unknown':
          tell({ event: 'unknown', says: state.says })
          return { fact: 'pay-unknown', now: seconds(clock) }
        case 'pending':
          return { fact: 'pay-unknown', now: seconds(clock) }
      }
    },
  }
}
