/**
 * Judges claims of payment by invoice and preimage alone. It holds nothing, asks nobody and can be run by anyone.
 * @module
 */
import { readInvoice } from './bolt11.ts'
import { proves } from './hash.ts'
import type { Verifier } from './payment.ts'

/**
 * Reasons: `bad-invoice`, `network`, `amountless`, `amount`, `description-hash`, `preimage`. A preimage is known to
 * every hop of a route: it proves that the invoice was paid, not by whom.
 */
export function verifier(): Verifier {
  return {
    judge({ bolt11, preimage, msats, network, descriptionHash }) {
      const read = readInvoice(bolt11)
      if (!read.ok) return { ok: false, reasons: ['bad-invoice'] }
      const { invoice } = read
      const reasons: string[] = []
      if (network !== undefined && invoice.network !== network) reasons.push('network')
      if (invoice.msats === undefined) reasons.push('amountless')
      else if (msats !== undefined && invoice.msats !== msats) reasons.push('amount')
      if (descriptionHash !== undefined && invoice.descriptionHash !== descriptionHash) reasons.push('description-hash')
      if (!proves(preimage, invoice.hash)) reasons.push('preimage')
      return { ok: reasons.length === 0, reasons }
    },
  }
}
