/**
 * A zap receipt (9735): judged against its job, the node's own word and its announcement, as a router judges it.
 * @module
 */
import {
  about,
  addressees,
  type Event,
  feedback,
  handler,
  ofKinds,
  resultKind,
  usageReceipt,
  type ZapReceipt,
  zapReceipt,
} from '../../../kinds/index.ts'
import { readInvoice } from '../../payments/bolt11.ts'
import { checks as tries } from '../../router/attest.ts'
import { type Check, check, type Tools } from './check.ts'
import type { Finder } from './finder.ts'
import { replayed } from './replay.ts'

export interface ZapFacts {
  readonly event: Event
  readonly said: ZapReceipt
  readonly job: Event | undefined
  readonly announcements: readonly Event[]
  /** The node's bills, results and usage receipts of the job. */
  readonly words: readonly Event[]
  /** Other receipts that this signer gave to this node. */
  readonly others: readonly Event[]
  readonly cut: boolean
}

export async function gatherZap(event: Event, said: ZapReceipt, finder: Finder): Promise<ZapFacts> {
  const job = said.event === undefined ? undefined : (await finder.all([said.event])).get(said.event)
  const node = said.recipient
  const announcements = await finder.find([ofKinds([handler.number], { authors: [node] })], 64)
  const result = job && resultKind(job.kind)
  const kinds = [feedback.number, usageReceipt.number, ...(result === undefined ? [] : [result])]
  const words = job ? await finder.find([about([job.id], kinds, { authors: [node] })]) : []
  const others = await finder.find([ofKinds([zapReceipt.number], { authors: [event.pubkey] })])
  return { event, said, job, announcements, words, others, cut: finder.cut }
}

export function zapChecks(facts: ZapFacts, { verify, now, network }: Tools): Check[] {
  const { event, said, job, announcements, words, cut } = facts
  const all = (says: string) => Object.keys(tries).map(name => check(name, null, says))
  if (said.event === undefined) return all('It names no job: it is a tip, and tips are held against nothing.')
  if (!job) return all('The job is not on these relays.')
  const read = readInvoice(said.bolt11)
  const named = addressees(job)
  if (named.length > 0 && !named.includes(said.recipient))
    return [check('payee', false, 'The job was given to somebody else.')]
  if (announcements.length === 0) return all('The announcement of the node is not on these relays.')
  const drafts = replayed({
    ...{ job, announcements, verify, at: Math.max(now, event.created_at) },
    network: network ?? (read.ok ? read.invoice.network : 'mainnet'),
    papers: [event, ...words],
    routingOf: () => undefined,
    attestedFor: () => undefined,
    weightOf: () => 0,
  })
  const draft = drafts.findLast(({ evidence }) => evidence[0] === event.id)
  if (!draft) return all('It could not be judged.')
  const renewed = announcements.every(({ created_at }) => created_at > event.created_at)
  return Object.keys(tries).map(name => {
    if (name === 'unused') return unusedCheck(facts)
    if (draft.checks.includes(name)) return check(name, true, sayings[name] ?? 'It holds.')
    if (!draft.failed.includes(name)) return check(name, null, untried[name] ?? 'It could not be tried.')
    if (name === 'confirmed' && draft.says.includes('no-offer'))
      return check(name, null, `No bill and no usage receipt of the node is public${cut ? ' or came in time' : ''}.`)
    const open = renewed && (name === 'zapper' || name === 'node-key')
    return check(name, open ? null : false, open ? 'The node has announced itself anew since then.' : draft.says)
  })
}

/** One payment pays one job. */
function unusedCheck({ event, said, others, cut }: ZapFacts): Check {
  const mine = readInvoice(said.bolt11)
  if (!mine.ok) return check('unused', null, 'Its invoice cannot be read.')
  const twice = others.find(other => {
    if (other.id === event.id) return false
    const read = zapReceipt.read(other)
    const paid = read.ok && read.value.event !== said.event ? readInvoice(read.value.bolt11) : undefined
    return paid?.ok === true && paid.invoice.hash === mine.invoice.hash
  })
  if (twice) return check('unused', false, `${twice.id} counts the same payment for another job.`)
  return check(
    'unused',
    cut ? null : true,
    cut
      ? 'There was no time to ask for others.'
      : 'No other receipt on these relays counts this payment for another job.',
  )
}

const sayings: { readonly [name: string]: string } = {
  receipt: 'It is signed and says nothing twice.',
  zapper: 'Its signer is who the node announced.',
  request: 'The customer signed the zap request in it.',
  payee: 'It names the node.',
  payer: 'The payer is the customer and not the node.',
  job: 'It is bound to the signed job.',
  invoice: 'Its invoice can be read.',
  amount: 'Paid, asked and billed are the same.',
  description: 'The invoice commits to the zap request.',
  preimage: 'The preimage opens the payment hash.',
  time: 'Its dates are in order.',
  'node-key': 'The money went to a Lightning node that was announced.',
  confirmed: 'The node’s own word names this payment.',
}
const untried: { readonly [name: string]: string } = {
  'node-key': 'The node announces no Lightning node.',
}
