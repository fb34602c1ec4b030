/**
 * What a bill has to pass before it is paid: the guard, and before it whoever has to vouch for it or to make it: the
 * verifier of an escrow, or the payment service of a node that has only a Lightning address.
 * @module
 */
import type { Event, WishedTerms } from '../../kinds/index.ts'
import { openEscrowView } from '../escrow/customer.ts'
import type { ClientFact, ClientJob, Quote } from '../job.ts'
import { readInvoice } from '../payments/bolt11.ts'
import type { ClientOptions } from './client.ts'
import type { NodeFacts } from './keeping.ts'
import { addressBill } from './lightning-address.ts'
import type { Paying } from './paying.ts'

/** Of several jobs for one question only one may order at a time. */
export interface Turn {
  /** False when another job has it. */
  take(job: string): boolean
  /** Gives it back: this job has ordered nothing. */
  drop(job: string): void
}

export interface ClearingOptions extends Pick<ClientOptions, 'relays' | 'keys' | 'clock' | 'network' | 'lnurl'> {
  readonly paying: Paying
  readonly request: Event
  readonly secret: Uint8Array
  readonly announcement?: NodeFacts
  readonly terms?: WishedTerms
  readonly turn?: Turn
}

export interface Clearing {
  /** The event that asked for money last: what a zap pays for (NIP-90). */
  asked(event: Event): void
  /** Answers `cleared` or `barred`. */
  clear(job: ClientJob, quote: Quote): Promise<ClientFact>
}

export function openClearing(options: ClearingOptions): Clearing {
  const { relays, keys, clock, network, lnurl, request, secret, announcement, terms, turn } = options
  let asking = request.id

  /** Nothing is awaited in here, so that no two jobs of one question pass together. */
  function judge(job: ClientJob, quote: Quote, commitsTo?: string): ClientFact {
    if (turn && !turn.take(job.id)) return barred('slower', 'Another node was quicker: this one is not paid.')
    const fact = options.paying.clear(job, quote, commitsTo)
    if (fact.fact === 'barred') turn?.drop(job.id)
    return fact
  }

  /** A node could hold the money for a hash of its own and call it escrow. */
  async function vouched(quote: Quote): Promise<ClientFact | undefined> {
    if (quote.terms?.word !== 'escrow' || terms?.word !== 'escrow') return undefined
    const read = readInvoice(quote.bolt11 ?? '')
    if (!read.ok) return undefined
    const view = openEscrowView({ relays, keys, secret, clock })
    try {
      const { hash, msats = 0n } = read.invoice
      const found = await view.vouched({ job: request.id, verifier: terms.verifier, hash, msats })
      return found.ok ? undefined : barred(`verifier-${found.rule}`, found.says)
    } finally {
      view.close()
    }
  }

  return {
    asked(event) {
      asking = event.id
    },
    async clear(job, quote) {
      const refusal = await vouched(quote)
      if (refusal) return refusal
      const fact = judge(job, quote)
      // Nobody is asked for the invoice of a bill that would not be paid anyway.
      if (fact.fact !== 'barred' || fact.why.code !== 'no-invoice' || quote.msats === undefined) return fact
      const address = announcement?.lud16
      if (!lnurl) return address === undefined ? fact : barred('no-invoice', unasked)
      const about = { receiver: quote.by, event: asking, msats: quote.msats, secret }
      const made = await addressBill(
        { relays, keys, clock, network, lnurl },
        { ...about, ...(address === undefined ? {} : { address }) },
      )
      if (!made.ok) return barred(made.code, made.says)
      return judge(job, { ...quote, bolt11: made.bolt11 }, made.descriptionHash)
    },
  }
}

const barred = (code: string, says: string): ClientFact => ({ fact: 'barred', why: { code, says } })
const unasked =
  'The node has only a Lightning address: add --lnurl to let its payment service be asked over HTTPS, or choose another node.'
