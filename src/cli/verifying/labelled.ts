/**
 * Labels of payments and outcomes, made again by the router's own code from the papers that they name.
 * @module
 */
import { type Attestation, attestation, handler, jobIdOf, resultKind, zapReceipt } from '../../../kinds/index.ts'
import { readInvoice } from '../../payments/bolt11.ts'
import type { Network } from '../../payments/payment.ts'
import { openWeights } from '../../router/weights.ts'
import { type Check, check, type Tools } from './check.ts'
import type { LabelFacts } from './label.ts'
import { attestedBefore, type Draft, ownRoute, replayed } from './replay.ts'

const unknown = (names: readonly string[], says: string): Check[] => names.map(name => check(name, null, says))

/** Tries a label about a payment or an outcome. */
export function labelledChecks(facts: LabelFacts, tools: Tools): Check[] {
  const { said, found } = facts
  const names =
    said.topic === 'payment' ? ['label', 'checks', 'amount', 'unused'] : ['label', 'checks', 'measured', 'weight']
  const missing = [said.job, ...said.evidence, ...(said.routing ? [said.routing] : [])].filter(id => !found.has(id))
  if (missing.length > 0) return unknown(names, 'Not without all that it rests on.')
  if (said.topic === 'outcome' && said.routing === undefined) return trialChecks(facts)
  const drafts = networksOf(facts, tools).map(network => draftOf(facts, network, tools))
  const draft = drafts.find(one => one && sameLabel(one, facts)) ?? drafts.find(one => one !== undefined)
  return said.topic === 'payment' ? paymentChecks(facts, draft) : outcomeChecks(facts, draft)
}

/** Which coins a router counts it does not say: those of the invoice, and mainnet where it takes no others. */
function networksOf({ said, found }: LabelFacts, { network }: Tools): Network[] {
  if (network !== undefined) return [network]
  const paid = said.evidence.flatMap((id): Network[] => {
    const event = found.get(id)
    const read = event?.kind === zapReceipt.number ? zapReceipt.read(event) : undefined
    const invoice = read?.ok ? readInvoice(read.value.bolt11) : undefined
    return invoice?.ok ? [invoice.invoice.network] : []
  })
  return [...new Set([...paid, 'mainnet' as const])]
}

function draftOf(facts: LabelFacts, network: Network, { verify }: Tools): Draft | undefined {
  const { event, said, found, announcements, papers, folded } = facts
  const job = found.get(said.job)
  if (!job) return undefined
  const evidence = said.evidence.flatMap(id => found.get(id) ?? [])
  const later = papers.filter(({ created_at }) => created_at <= event.created_at)
  const earlier = [...earlierLabels(facts)].filter(({ topic, hash }) => topic === 'payment' && hash === said.hash)
  const weights =
    'ledger' in folded
      ? openWeights({ payers: folded.ledger.payers, trusted: [], nowMs: () => event.created_at * 1_000 })
      : undefined
  if (weights && 'paid' in folded) for (const customer of folded.paid) weights.paidFee(customer)
  const drafts = replayed({
    ...{ job, announcements, network, verify, at: event.created_at },
    papers: said.topic === 'outcome' ? [...evidence, ...later] : evidence,
    routingOf: id => {
      const route = id === said.routing ? found.get(id) : undefined
      return route?.pubkey === event.pubkey ? ownRoute(route) : undefined
    },
    attestedFor: attestedBefore(earlier),
    weightOf: customer => weights?.of(customer) ?? 0,
  })
  const mine = drafts.filter(({ topic, hash }) => topic === said.topic && (topic !== 'payment' || hash === said.hash))
  return mine.find(one => sameLabel(one, facts)) ?? mine.at(-1)
}

const list = (items: readonly string[]): string => items.toSorted().join()
const sameLabel = (draft: Draft, { said }: LabelFacts): boolean =>
  draft.label === said.label && list(draft.checks) === list(said.checks) && list(draft.failed) === list(said.failed)

/** A job that the router asked for itself, under a key that nobody knows to be its own. */
function trialChecks({ said, found }: LabelFacts): Check[] {
  const says = 'It names no routing event of its own: as a trial of its own, only it knows what it asked and measured.'
  if (said.label === 'failed') return unknown(['label', 'measured'], says)
  const answers = said.evidence.flatMap(id => found.get(id) ?? [])
  const answered = answers.some(
    one => one.kind === resultKind(said.kind) && one.pubkey === said.node && jobIdOf(one) === said.job,
  )
  return answered
    ? [check('answer', true, 'The node answered this job.'), ...unknown(['label', 'measured'], says)]
    : [check('answer', false, 'It names no answer of this node to this job.')]
}

function paymentChecks(facts: LabelFacts, draft: Draft | undefined): Check[] {
  const { said, event, announcements } = facts
  if (!draft) {
    const announced = announcements.some(({ kind }) => kind === handler.number)
    const says = announced
      ? 'Its evidence is no payment of this job.'
      : 'The announcement of the node is not on these relays, and payments are held against it.'
    return [check('label', announced ? false : null, says), ...unknown(['checks', 'amount', 'unused'], says)]
  }
  // What it was held against then may have been replaced.
  const renewed = announcements.every(({ created_at }) => created_at > event.created_at)
  const timed = said.failed.includes('time') && !draft.failed.includes('time')
  const open = renewed
    ? 'The node has announced itself anew since then.'
    : timed
      ? 'When a receipt was first seen only the judge knows.'
      : undefined
  const compare = (name: string, fits: boolean, fine: string, says: string): Check =>
    fits
      ? check(name, true, fine)
      : open === undefined
        ? check(name, false, says)
        : check(name, null, `${says} ${open}`)
  const amount =
    draft.msats === said.msats &&
    draft.node === said.node &&
    (said.customer ?? draft.customer) === draft.customer &&
    draft.model === said.model &&
    Math.abs(Math.min(draft.at, event.created_at) - said.at) <= 2
  return [
    compare(
      'label',
      draft.label === said.label,
      `The same judge says "${draft.label}".`,
      `The same judge says "${draft.label}", not "${said.label}". ${draft.says}`,
    ),
    compare(
      'checks',
      list(draft.checks) === list(said.checks) && list(draft.failed) === list(said.failed),
      'The same checks hold and fail.',
      `Other checks hold or fail: ${draft.failed.length === 0 ? 'none fails' : draft.failed.join(', ')}.`,
    ),
    check(
      'amount',
      amount,
      amount
        ? 'Money, model, node and time are those of the papers.'
        : 'Money, model, node or time are not those of the papers.',
    ),
    unusedCheck(facts, draft),
  ]
}

/** Whether the payment was attested for another job before, which says the log. */
function unusedCheck({ folded, said }: LabelFacts, draft: Draft): Check {
  if (!('ledger' in folded))
    return check('unused', null, `Whether it was attested before cannot be told. ${folded.says}`)
  const used = draft.failed.includes('unused')
  const fits = used === said.failed.includes('unused')
  return check(
    'unused',
    fits,
    !fits
      ? 'The log says otherwise about this payment.'
      : used
        ? 'The log has this payment for another job.'
        : 'The log has this payment for no other job.',
  )
}

function outcomeChecks(facts: LabelFacts, draft: Draft | undefined): Check[] {
  const { said, folded } = facts
  const late = said.label === 'failed'
  if (!draft) {
    const says = late
      ? 'An answer is on these relays, or the time was not over: whether the router could know nobody can prove.'
      : 'Its papers do not come to an outcome of a job that its router sent there.'
    return [check('label', late ? null : false, says), ...unknown(['checks', 'measured', 'weight'], says)]
  }
  const same = draft.label === said.label
  // Answers that turn up later may have been there in time for all that anybody can prove.
  const label = same
    ? check('label', true, `The same judge says "${draft.label}".`)
    : check(
        'label',
        late ? null : false,
        `From these papers the same judge says "${draft.label}", not "${said.label}".`,
      )
  const checked = list(draft.checks) === list(said.checks) && (draft.code ?? '') === (said.code ?? '')
  const inTime = [said, draft].every(({ checks }) => checks.includes('in-time') || checks.includes('late'))
  const measured =
    draft.firstMs === said.firstMs &&
    draft.ms === said.ms &&
    draft.outputTokens === said.outputTokens &&
    draft.model === said.model &&
    (late || Math.abs(draft.at - said.at) <= 2)
  const silence = said.checks.includes('published')
    ? [check('listening', null, 'Whether the router was listening all the time nobody else knows.')]
    : []
  return [
    label,
    checked
      ? check('checks', true, 'The same checks hold.')
      : check(
          'checks',
          same && !inTime && !late ? false : null,
          inTime ? 'When it heard the answer only the router knows.' : 'Other checks hold by these papers.',
        ),
    ...silence,
    same
      ? check(
          'measured',
          measured,
          measured
            ? 'Times, tokens and model are those of the papers.'
            : 'Times, tokens or model are not those of the papers.',
        )
      : check('measured', null, 'Not without the same label.'),
    weightCheck(said.weight, draft.weight, folded),
  ]
}

function weightCheck(said: number | undefined, mine: number | undefined, folded: LabelFacts['folded']): Check {
  if (!('ledger' in folded))
    return check('weight', null, `What the customer’s word weighs cannot be told. ${folded.says}`)
  if ((said ?? 1) === (mine ?? 1)) return check('weight', true, 'The log gives the customer’s word the same weight.')
  return check(
    'weight',
    null,
    `The log gives the customer’s word the weight ${mine ?? 1}, it says ${said ?? 1}: whom its operator trusts is not public, and walks are taken now and then.`,
  )
}

/** Earlier labels of the log. */
function* earlierLabels({ lineage }: LabelFacts): Generator<Attestation> {
  for (const { event } of lineage.links) {
    const read = event.kind === attestation.number ? attestation.read(event) : undefined
    if (read?.ok) yield read.value
  }
}
