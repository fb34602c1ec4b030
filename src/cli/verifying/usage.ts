/**
 * A usage receipt (4632): its chain, its job, its result, and what the customer says of the payments.
 * @module
 */
import {
  about,
  acknowledgement,
  addressees,
  type Event,
  jobIdOf,
  resultKind,
  routing,
  type UsageReceipt,
  usageReceipt,
} from '../../../kinds/index.ts'
import { verifyFault } from '../../ledger/index.ts'
import { proves } from '../../payments/hash.ts'
import { faultTools } from '../../router/fault-tools.ts'
import { brief, type Check, check, type Found, over, type Tools, unknown, wrong } from './check.ts'
import type { Finder } from './finder.ts'

export interface UsageFacts {
  readonly event: Event
  readonly said: UsageReceipt
  readonly found: ReadonlyMap<string, Event>
  /** Acknowledgements of its job, and other receipts of its author for it. */
  readonly about: readonly Event[]
  readonly cut: boolean
}

export async function gatherUsage(event: Event, said: UsageReceipt, finder: Finder): Promise<UsageFacts> {
  const ids = [said.job, said.result, said.prev, said.routing].filter(id => id !== undefined)
  const found = await finder.all(ids)
  const papers = await finder.find([
    about([said.job], [acknowledgement.number], { authors: [said.customer] }),
    about([said.job], [usageReceipt.number], { authors: [event.pubkey] }),
  ])
  return { event, said, found, about: papers, cut: finder.cut }
}

export async function usageChecks(facts: UsageFacts, tools: Tools): Promise<Check[]> {
  return [
    chainCheck(facts),
    await aloneCheck(facts, tools),
    jobCheck(facts),
    ...resultChecks(facts),
    ...routingChecks(facts),
    ...paymentChecks(facts),
  ]
}

function chainCheck({ event, said, found }: UsageFacts): Check {
  if (said.seq === 0) return check('chain', true, 'It is the first receipt of its chain.')
  const before = said.prev === undefined ? undefined : found.get(said.prev)
  if (!before) return check('chain', null, `Receipt ${said.seq - 1} is not on these relays.`)
  const read = before.kind === usageReceipt.number ? usageReceipt.read(before) : undefined
  const follows = read?.ok && before.pubkey === event.pubkey && read.value.seq === said.seq - 1
  return check(
    'chain',
    follows === true,
    follows ? `It follows receipt ${said.seq - 1}.` : 'What it names before it is not the receipt before.',
  )
}

async function aloneCheck({ event, about: papers, cut }: UsageFacts, { verify }: Tools): Promise<Check> {
  for (const other of papers) {
    if (other.kind !== usageReceipt.number || other.id === event.id) continue
    const events = [event, other]
    const { ok } = await verifyFault(
      { rule: 'E1', accused: event.pubkey, events, opened: {}, says: '' },
      faultTools(verify),
    )
    if (ok)
      return check(
        'alone',
        false,
        `${other.id} says something else of the same job: both together are evidence of equivocation (E1).`,
      )
  }
  return check(
    'alone',
    cut ? null : true,
    cut ? 'There was no time to ask for others.' : 'No other receipt of this author contradicts it.',
  )
}

function jobCheck({ event, said, found }: UsageFacts): Check {
  const job = found.get(said.job)
  if (!job) return check('job', null, 'The job is not on these relays.')
  const named = addressees(job)
  const fits =
    job.pubkey === said.customer && job.kind === said.kind && (named.length === 0 || named.includes(event.pubkey))
  return check(
    'job',
    fits,
    fits
      ? 'The job is of this customer and kind, and for this node.'
      : 'The job is of somebody else, of another kind or for others.',
  )
}

function resultChecks({ event, said, found }: UsageFacts): Check[] {
  if (said.result === undefined) return []
  const result = found.get(said.result)
  if (!result) return [check('result', null, 'The result that it names is not on these relays.')]
  const fits = result.kind === resultKind(said.kind) && result.pubkey === event.pubkey && jobIdOf(result) === said.job
  return [
    check(
      'result',
      fits,
      fits
        ? 'The result is of this node and for this job.'
        : 'What it names as the result is none of this node for this job.',
    ),
  ]
}

function routingChecks({ event, said, found }: UsageFacts): Check[] {
  if (said.routing === undefined) return []
  const route = found.get(said.routing)
  if (!route) return [check('routing', null, 'The routing event that it names is not on these relays.')]
  const read = route.kind === routing.number ? routing.read(route) : undefined
  const fits =
    read?.ok && read.value.to === said.customer && read.value.candidates.some(({ node }) => node === event.pubkey)
  return [
    check(
      'routing',
      fits === true,
      fits
        ? 'A router named this node to this customer.'
        : 'The routing event does not name this node to this customer.',
    ),
  ]
}

/** Hashes against the customer's word: a preimage proves a payment, silence proves nothing. */
function paymentChecks({ event, said, about: papers }: UsageFacts): Check[] {
  if (said.payments.length === 0)
    return [
      check(
        'payments',
        said.msats === 0n ? true : null,
        said.msats === 0n ? 'It was free.' : 'It names a price and no payment.',
      ),
    ]
  const words = papers.flatMap(paper => {
    const read =
      paper.kind === acknowledgement.number && paper.pubkey === said.customer ? acknowledgement.read(paper) : undefined
    return read?.ok && read.value.job === said.job && read.value.node === event.pubkey ? [read.value] : []
  })
  const found = said.payments.map(({ hash }): Found => {
    const shown = words.flatMap(({ payments }) => payments.filter(one => one.hash === hash))
    if (shown.some(({ preimage }) => preimage !== undefined && proves(preimage, hash))) return undefined
    if (shown.some(({ preimage }) => preimage !== undefined))
      return wrong(`${brief(hash)}: the preimage that the customer shows does not open it.`)
    return unknown(
      words.length === 0
        ? 'The customer’s acknowledgement is not on these relays.'
        : `${brief(hash)}: the customer shows no preimage of this payment.`,
    )
  })
  const sum = said.payments.reduce((total, { msats }) => total + msats, 0n)
  const within = said.payments.length === 0 || sum <= said.msats
  return [
    over('payments', found, 'The customer shows the preimage of every payment.'),
    check(
      'amount',
      within,
      within
        ? 'The payments are no more than the price.'
        : `The payments come to ${sum} msats, the price is ${said.msats}.`,
    ),
  ]
}
