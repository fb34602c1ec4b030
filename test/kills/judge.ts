/**
 * What must be true of all money after everything went quiet, read from the journals and the wallets' own books.
 * @module
 */
import { readOpening, replay } from '../../src/client/keeping.ts'
import { isEnd } from '../../src/job.ts'
import type { Order } from '../../src/journal/index.ts'
import { readOpening as readNodeOpening, replay as replayNode } from '../../src/node/keeping.ts'
import type { Transaction } from '../../src/payments/payment.ts'
import { PRICE, type Town } from './town.ts'
import type { Books } from './wallets.ts'

export type Rule = 'paidTwice' | 'lost' | 'orphans' | 'msatsConserved' | 'saidTwice' | 'wrongAnswer' | 'accident'

export interface Fault {
  readonly rule: Rule
  readonly says: string
}

const settled = (rows: readonly Transaction[], type: Transaction['type']) =>
  rows.filter(row => row.type === type && row.state === 'settled')

/** Rows of the payer's newest transactions that are looked at after each kill; all of them at the end. */
const RECENT = 25
const ALL = 10_000

/** Judges the newest payments and everything that is open, or `whole` the whole life of a town. */
export async function judge(town: Town, asked: ReadonlySet<string>, whole = false): Promise<Fault[]> {
  const books = await town.books(whole ? ALL : RECENT)
  if (!books) return [{ rule: 'accident', says: 'the wallets do not say what they have' }]
  const faults: Fault[] = []
  const rule = (holds: boolean, name: Rule, says: () => string) => {
    if (!holds) faults.push({ rule: name, says: says() })
  }
  const { payer, node } = town.journals()
  rule(books.conserved && agree(books), 'msatsConserved', () => 'what one wallet sent is not what the other got')

  const sent = settled(books.payer, 'outgoing')
  const byJob = new Map<string, Order[]>()
  for (const row of sent) {
    const order = payer.orders.get(row.hash)
    const bill = node.bills.get(row.hash)
    rule(order !== undefined, 'orphans', () => `the customer paid ${row.hash} and wrote down no order`)
    rule(bill !== undefined, 'orphans', () => `the node was paid ${row.hash} and wrote down no bill`)
    rule(!order || order.state === 'paid', 'orphans', () => `order ${row.hash} is paid and called ${order?.state}`)
    rule(!bill || bill.state === 'paid', 'orphans', () => `bill ${row.hash} is paid and called ${bill?.state}`)
    if (order?.job) byJob.set(order.job, [...(byJob.get(order.job) ?? []), order])
  }
  const hashes = sent.map(row => row.hash)
  rule(new Set(hashes).size === hashes.length, 'paidTwice', () => 'one hash was paid twice')
  for (const [job, orders] of byJob) judgePaid(job, orders)

  function judgePaid(job: string, orders: readonly Order[]): void {
    const kept = payer.jobs.find('client', job)
    const opening = kept && readOpening(kept.opening)
    rule(opening !== undefined, 'orphans', () => `job ${job} is paid and was never written down`)
    if (!kept || !opening) return
    const ended = replay(opening.ask, kept.facts)
    const paid = orders.reduce((sum, order) => sum + order.msats, 0n)
    const parts = opening.ask.parts ?? 1
    rule(
      orders.length <= parts && paid <= PRICE,
      'paidTwice',
      () => `job ${job}: ${orders.length} payments, ${paid} msats`,
    )
    const theirs = nodeJob(job)
    // Earlier parts bought what was streamed; only the last one paid may have bought nothing.
    const bought = orders.filter(order => theirs?.settled.includes(order.hash))
    const rest = paid - bought.reduce((sum, order) => sum + order.msats, 0n)
    const credits = node.bills.credits({ job }).reduce((sum, row) => sum + row.msats, 0n)
    const cost = theirs?.state === 'delivered' ? theirs.costMsats : undefined
    // Of a job in parts only the last payments may be among the newest rows.
    const inAll = payer.orders.list({ job, state: 'paid' }).reduce((sum, order) => sum + order.msats, 0n)
    rule(cost === undefined || inAll === cost + credits, 'lost', () => {
      return `job ${job} (${opening.terms?.word ?? 'before'}): paid ${inAll}, cost ${cost}, credit ${credits}`
    })
    const refunded = node.bills.credits({ job }).some(row => row.why === 'refund')
    const known = (ended.creditMsats ?? 0n) > 0n
    rule(ended.state === 'delivered' || rest === 0n || refunded || (credits > 0n && known), 'lost', () => {
      const why = `${ended.why?.code}: ${ended.why?.says}`
      const sides = `customer ${ended.state} (${why}), node ${theirs?.state}, credit ${credits}`
      return `job ${job} (${opening.terms?.word ?? 'before'}): paid ${paid}, ${sides}`
    })
    const outcome = town.outcomes.get(job)
    rule(
      outcome === undefined || !outcome.ok || asked.has(outcome.text),
      'wrongAnswer',
      () => `job ${job}: ${outcome?.text}`,
    )
  }

  function nodeJob(id: string) {
    const kept = node.jobs.find('node', id)
    const opening = kept && readNodeOpening(kept.opening)
    return opening && replayNode(opening.ask, kept.facts)
  }

  for (const order of payer.orders.list({ state: 'planned', limit: 100 }))
    rule(false, 'orphans', () => `order ${order.hash} of job ${order.job} is planned for ever`)
  for (const order of node.orders.list({ state: 'planned', limit: 100 }))
    rule(false, 'orphans', () => `refund ${order.hash} is planned for ever`)
  for (const job of payer.jobs.unfinished('client'))
    rule(false, 'orphans', () => `the customer's job ${job.id} has no end: ${JSON.stringify(last(job.facts))}`)
  for (const job of node.jobs.unfinished('node')) {
    const opening = readNodeOpening(job.opening)
    const state = opening && replayNode(opening.ask, job.facts).state
    rule(state !== undefined && isEnd(state), 'orphans', () => `the node's job ${job.id} is ${state}`)
  }
  for (const row of [...books.payer, ...books.payee].filter(row => row.type === 'outgoing'))
    rule(row.state !== 'pending', 'orphans', () => `payment ${row.hash} is under way for ever`)
  for (const [job, ids] of town.results) rule(ids.size === 1, 'saidTwice', () => `job ${job} has ${ids.size} results`)
  for (const says of town.accidents) rule(false, 'accident', () => says)
  return faults
}

const last = (facts: readonly unknown[]) =>
  facts.slice(-3).map(fact => (typeof fact === 'object' && fact !== null && 'fact' in fact ? fact.fact : fact))

/** What the customer's wallet says it sent is what the node's says came. */
function agree({ payer, payee }: Books): boolean {
  const came = new Map(settled(payee, 'incoming').map(row => [row.hash, row.msats]))
  return settled(payer, 'outgoing').every(row => came.get(row.hash) === row.msats)
}
