/**
 * The client's money: what the guard says of a quote, and what the wallet's words mean for the job.
 * @module
 */
import { seconds } from '../clock.ts'
import type { ClientFact, Quote } from '../job.ts'
import { checkQuote } from '../payments/guard.ts'
import type { PayState } from '../payments/payment.ts'
import type { AskOptions } from './ask.ts'
import { overCap } from './market.ts'

export interface Paying {
  /** Judges a quote. A hash that was let through once is never let through again. */
  clear(quote: Quote): ClientFact
  word(state: PayState): ClientFact
}

export function openPaying({ payer, question, network, clock, ordered, tell }: AskOptions): Paying {
  const announced = question.node?.announcement
  const barred = (code: string, says: string): ClientFact => ({ fact: 'barred', why: { code, says } })

  return {
    clear(quote) {
      if (quote.msats !== undefined && quote.msats > question.capMsats)
        return barred('over-cap', overCap(quote.msats, question.capMsats))
      const price = announced?.priceMsats
      if (quote.msats !== undefined && price !== undefined && quote.msats > price)
        return barred(
          'over-announced',
          `The node asks for ${quote.msats} msats and announced ${price}: ask again to see its price of today, or choose another node with --to.`,
        )
      if (!payer) return barred('no-wallet', 'The node wants money and no wallet was given: add --wallet.')
      const keys = announced && !announced.custodial && announced.nodeKeys.length > 0 ? announced.nodeKeys : undefined
      const verdict = checkQuote({
        quotedBy: quote.by,
        ...(question.node ? { chosen: question.node.pubkey } : {}),
        ...(quote.bolt11 === undefined ? {} : { bolt11: quote.bolt11 }),
        ...(quote.msats === undefined ? {} : { msats: quote.msats }),
        ...(keys === undefined ? {} : { expected: { nodeKeys: keys } }),
        capMsats: price !== undefined && price < question.capMsats ? price : question.capMsats,
        network,
        now: seconds(clock),
        seenHashes: hash => ordered.has(hash),
      })
      if (!verdict.ok) return barred(verdict.rule, verdict.says)
      const { order, invoice } = verdict
      ordered.add(order.hash)
      tell({ event: 'quote', by: quote.by, msats: order.msats, bolt11: order.bolt11 })
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
