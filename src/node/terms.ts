/**
 * When a customer of this node pays: what was wished for, what is offered, and what the customer's record allows.
 * @module
 */
import type { TermsWord, TextRequest } from '../../kinds/index.ts'
import type { When } from '../job.ts'
import type { Journal } from '../journal/journal.ts'
import { type CreditPolicy, creditLine } from '../ledger/credit-line.ts'

/** What is offered beside paying before the work. */
export interface NodeTerms {
  /** Who pays after the work: within this line. Absent: nobody. */
  readonly after?: Partial<CreditPolicy>
  /** Also to customers who did not ask for it. */
  readonly afterByDefault?: boolean
  readonly parts: boolean
  readonly hold: boolean
  readonly escrow: boolean
}

/** What a node offers that was told `wished`; without a word of the wallet nothing is held. */
export function termsOf(
  wished: { readonly when?: 'before' | 'after'; readonly terms?: Partial<NodeTerms>; readonly priceMsats: bigint },
  canHold: boolean,
): NodeTerms {
  const { when, terms, priceMsats } = wished
  const byDefault = when === 'after'
  const line = terms?.after ?? (byDefault ? { startMsats: priceMsats } : undefined)
  return {
    ...(line ? { after: line } : {}),
    afterByDefault: byDefault,
    parts: terms?.parts ?? true,
    hold: canHold && (terms?.hold ?? true),
    escrow: canHold && (terms?.escrow ?? true),
  }
}

export interface Decided {
  readonly when: When
  readonly parts?: number
  readonly verifier?: string
}

/** Words for the announcement. */
export function offered(terms: NodeTerms): TermsWord[] {
  const { after, parts, hold, escrow } = terms
  const more = [after ? 'after' : undefined, parts ? 'parts' : undefined, hold ? 'hold' : undefined]
  return ['before', ...more.filter(word => word !== undefined), ...(escrow ? ['escrow'] : [])] as TermsWord[]
}

/** Terms of one job. What cannot be had becomes `before`. Kept money is used up before anything is billed. */
export function decide(
  request: TextRequest,
  customer: string,
  msats: bigint,
  terms: NodeTerms,
  journal: Journal,
  now: number,
  begun = false,
): Decided {
  if (msats === 0n) return { when: 'free' }
  const wish = request.terms ?? { word: terms.afterByDefault ? 'after' : 'before' }
  // Who has the beginning from elsewhere owes the rest only, and what is kept is spent on whole prices.
  if (wish.word === 'parts' && terms.parts && begun) return { when: 'parts', parts: wish.parts }
  if (journal.bills.creditMsats(customer) >= msats) return { when: 'credit' }
  if (wish.word === 'parts' && terms.parts) return { when: 'parts', parts: wish.parts }
  if (wish.word === 'hold' && terms.hold) return { when: 'hold' }
  if (wish.word === 'escrow' && terms.escrow) return { when: 'escrow', verifier: wish.verifier }
  if (wish.word === 'after' && terms.after) {
    // An open bill is a debt only where the work is delivered; what was paid before earns credit, too.
    const bills = journal.bills.list({ customer, limit: 1_000 }).filter(bill => bill.credit || bill.state !== 'open')
    if (creditLine(bills, { ...terms.after, now }).freeMsats >= msats) return { when: 'after' }
  }
  return { when: 'before' }
}
