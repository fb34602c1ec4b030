/**
 * What must be true of every paid job after everything went quiet, whatever the relays did.
 * @module
 */
import { isEnd } from '../../src/job.ts'
import type { Transaction } from '../../src/payments/payment.ts'
import { type Played, PRICE, QUESTION, UNUSED } from './paid-job.ts'

/** The rules that a run can break. */
export type Broken =
  /** A job was paid more often or higher than it was sold for, or paid back more than was paid. */
  | 'paid-twice'
  /** Money settled that ended in no answer, no refund and no credit that the node knows of. */
  | 'lost'
  /** The customer was told another amount than left. */
  | 'hidden'
  /** Money moved that a journal does not know as paid. */
  | 'unseen'
  /** A job, an order or a payment that stays open for ever. */
  | 'orphan'
  | 'not-conserved'
  /** Work without money, beyond credit. */
  | 'free-work'
  | 'wrong-answer'
  /** A question or an answer in the clear on a wire. */
  | 'leaked'

export interface Verdict {
  readonly broken: readonly Broken[]
  /**
   * `ok`: answered and paid. `owes`: answered and not paid, which ends the credit. `refunded`: paid, not answered, paid
   * back. `credit`: paid, not answered, and the node keeps it for the customer. Else the code of the end.
   */
  readonly word: string
}

const settled = (rows: readonly Transaction[], type: Transaction['type']) =>
  rows.filter(row => row.state === 'settled' && row.type === type)
const sum = (rows: readonly { msats: bigint }[]) => rows.reduce((all, { msats }) => all + msats, 0n)

/** Judges a run by the invariants of the money. */
export function judge(played: Played): Verdict {
  const { story, outcome, code, nodeEvents, nodeJobs, journals, conserved, customer, passed } = played
  const broken = new Set<Broken>()
  const rule = (holds: boolean, name: Broken) => void (holds || broken.add(name))
  const [left, came] = [settled(played.payer, 'outgoing'), settled(played.payee, 'incoming')]
  const back = settled(played.payee, 'outgoing')
  const kept = journals.node.bills.creditMsats(customer)
  const answered = outcome?.ok === true
  const inDoubt = outcome?.code === 'payment-unknown'
  const gone = sum(left) - sum(back)

  rule(conserved, 'not-conserved')
  const hashes = new Set([...left, ...back].map(({ hash }) => hash))
  rule(left.length <= (story === 'parts' ? 2 : 1) && sum(left) <= PRICE && gone >= 0n, 'paid-twice')
  rule(hashes.size === left.length + back.length, 'paid-twice')
  rule(gone === 0n || answered || kept + boughtBy(played) >= gone, 'lost')
  if (story === 'tokens' && answered) {
    rule(gone - kept === PRICE - UNUSED, 'lost')
    rule(outcome.creditMsats === UNUSED, 'hidden')
  }
  rule(outcome === undefined ? left.length === 0 : inDoubt || outcome.msats === sum(left), 'hidden')
  rule(
    came.every(({ hash }) => journals.node.bills.get(hash)?.state === 'paid'),
    'unseen',
  )
  const known = (hash: string) => ['paid', 'unproven'].includes(journals.client.orders.get(hash)?.state ?? '')
  rule(inDoubt || left.every(({ hash }) => known(hash)), 'unseen')
  rule(nodeJobs.length === 0, 'orphan')
  rule(!played.patient || journals.node.jobs.unfinished('node').length === 0, 'orphan')
  rule(inDoubt || journals.client.jobs.unfinished('client').length === 0, 'orphan')
  rule(outcome === undefined || inDoubt || isEnd(outcome.job.state), 'orphan')
  const planned = [journals.node, journals.client].flatMap(({ orders }) => orders.list({ state: 'planned' }))
  rule(inDoubt || planned.length === 0, 'orphan')
  rule(![...played.payer, ...played.payee].some(row => row.type === 'outgoing' && row.state === 'pending'), 'orphan')
  const began = nodeEvents.some(({ event }) => event === 'running')
  rule(!began || left.length > 0 || story === 'after' || (story === 'hold' && !answered), 'free-work')
  const price = story === 'after' && left.length === 0 ? 0n : PRICE
  rule(!answered || (outcome.text === QUESTION && sum(left) === price), 'wrong-answer')
  rule(!passed.some(({ text }) => text.includes(QUESTION)), 'leaked')

  const end = outcome?.code ?? code ?? 'none'
  const unanswered = gone < sum(left) ? 'refunded' : kept > 0n ? 'credit' : end
  return { broken: [...broken], word: answered ? (sum(left) > 0n ? 'ok' : 'owes') : unanswered }
}

/**
 * What a customer without an answer has bought all the same: work that had begun when it withdrew, and the parts before
 * the one that failed.
 */
function boughtBy({ story, outcome, nodeEvents, askEvents }: Played): bigint {
  const began = nodeEvents.some(({ event }) => event === 'running')
  if (outcome?.code === 'cancelled' && began) return PRICE
  return story === 'parts' && askEvents.some(({ event }) => event === 'chunk') ? PRICE / 2n : 0n
}
