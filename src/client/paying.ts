/**
 * The client's money: what the guard says of a quote, and what the wallet's words mean for the job.
 * @module
 */
import { seconds } from '../clock.ts'
import type { ClientFact, Quote } from '../job.ts'
import { checkQuote, type EarlierOrder } from '../payments/guard.ts'
import type { PayState } from '../payments/payment.ts'
import type { AskOptions } from './ask.ts'

export interface Paying {
  /** Judges a quote. A hash that was let through once is never let through again. */
  clear(quote: Quote): ClientFact
  word(state: PayState): ClientFact
}

export function openPaying({ payer, question, request, network, clock, ordered, tell }: AskOptions): Paying {
  const announced = question.node?.announcement
  const barred = (code: string, says: string): ClientFact => ({ fact: 'barred', why: { code, says } })
  const orders: EarlierOrder[] = []
  const note = (state: EarlierOrder['state']) => {
    const last = orders.pop()
    if (last) orders.push({ ...last, state })
  }

  return {
    clear(quote) {
      const keys = announced && !announced.custodial && announced.nodeKeys.length > 0 ? announced.nodeKeys : undefined
      const price = announced?.priceMsats
      const verdict = checkQuote({
        job: request.id,
        quotedJob: request.id,
        ours: () => true,
        self: [request.pubkey],
        quotedBy: quote.by,
        ...(question.node ? { chosen: question.node.pubkey } : {}),
        ...(quote.bolt11 === undefined ? {} : { bolt11: quote.bolt11 }),
        ...(quote.msats === undefined ? {} : { msats: quote.msats }),
        ...(keys === undefined ? {} : { expected: { nodeKeys: keys } }),
        ...(price === undefined ? {} : { announcedMsats: price }),
        ...(payer ? { wallet: { network } } : {}),
        caps: { jobMsats: question.capMsats },
        spent: { jobMsats: 0n, hourMsats: 0n, dayMsats: 0n, peerDayMsats: 0n },
        orders,
        now: seconds(clock),
        seenHashes: hash => ordered.has(hash),
      })
      if (!verdict.ok) return barred(verdict.rule, verdict.says)
      const { order, invoice } = verdict
      ordered.add(order.hash)
      orders.push({ hash: order.hash, msats: order.msats, state: 'planned' })
      tell({ event: 'quote', by: quote.by, msats: order.msats, bolt11: order.bolt11 })
      return { fact: 'cleared', order: { ...order, expiresAt: invoice.expiresAt } }
    },
    word(state) {
      if (state.state === 'paid' || state.state === 'unproven' || state.state === 'failed') note(state.state)
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
