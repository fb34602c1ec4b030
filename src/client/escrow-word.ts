/**
 * The customer's own word about an answer that is paid through escrow: the verifier may wait for it.
 * @module
 */
import type { WishedTerms } from '../../kinds/index.ts'
import { openEscrowView } from '../escrow/customer.ts'
import type { Journal } from '../journal/journal.ts'
import type { ClientOptions } from './client.ts'
import { readOpening } from './keeping.ts'

/** Whether the verifier was told; `says` has the way out where it was not. */
export type WordSaid = { readonly ok: true } | { readonly ok: false; readonly code: string; readonly says: string }

type Options = Pick<ClientOptions, 'relays' | 'keys' | 'clock'> & { readonly journal: Journal }

/** Tells the verifier of a job that this journal knows. The first word of a case counts, and none after its verdict. */
export async function sayOfAnswer(options: Options, job: string, word: 'accept' | 'complain'): Promise<WordSaid> {
  const { journal, ...rest } = options
  const row = journal.jobs.find('client', job)
  const opening = row && readOpening(row.opening)
  const terms: WishedTerms | undefined = opening?.terms
  const order = journal.orders.list({ job, limit: 500 }).find(({ purpose }) => purpose === 'job')
  if (!opening || terms?.word !== 'escrow' || !order)
    return { ok: false, code: 'no-case', says: 'This journal knows no such job with an order on terms of escrow.' }
  const view = openEscrowView({ ...rest, secret: opening.secret })
  try {
    await view.say({ job, verifier: terms.verifier, hash: order.hash, word })
    return { ok: true }
  } finally {
    view.close()
  }
}
