/**
 * E3 and E8: a bill that is not what was quoted or what it says, and a payment that was attested and is none.
 * @module
 */
import {
  type Attestation,
  acknowledgement,
  attestation,
  type BilledTerms,
  type Event,
  feedback,
  quote,
  textResult,
  usageReceipt,
  zapReceipt,
} from '../../kinds/index.ts'
import { check, type FaultCase, type FaultRule, reveals, type Told } from './fault-case.ts'
import { askedFor, bindingQuotes, firmQuotes } from './fault-quotes.ts'

interface Bill {
  readonly at: number
  readonly job: string
  readonly msats: bigint
  /** What its invoice asks for; absent where the payer chooses. */
  readonly invoiced?: bigint
  readonly terms?: BilledTerms
}

/** Bills of the accused whose invoice can be read: feedback before the work, results after it. */
function billsOf({ own, tools }: FaultCase): Bill[] {
  const asked = own(feedback).filter(({ value }) => value.status === 'payment-required')
  return [...asked, ...own(textResult)].flatMap(({ event, value }) => {
    const read = value.bolt11 === undefined ? undefined : tools.invoice(value.bolt11)
    if (value.msats === undefined || !read?.ok) return []
    const terms = 'terms' in value ? value.terms : undefined
    const { msats: invoiced } = read.invoice
    const { job, msats } = value
    return [
      {
        at: event.created_at,
        job,
        msats,
        ...(invoiced === undefined ? {} : { invoiced }),
        ...(terms ? { terms } : {}),
      },
    ]
  })
}

const asks = ({ msats, invoiced = msats }: Bill): bigint => (invoiced > msats ? invoiced : msats)

const larger = (one: bigint, other: bigint): bigint => (one > other ? one : other)

/** Most that bills of one job ask for together: the parts of one division once each, any other bill alone. */
function wholeOf(bills: readonly Bill[]): bigint {
  const divisions = new Map<number, Map<number, bigint>>()
  let most = 0n
  for (const bill of bills) {
    const { terms } = bill
    most = larger(most, asks(bill))
    if (terms?.word !== 'parts') continue
    const parts = divisions.get(terms.parts) ?? new Map<number, bigint>()
    const known = parts.get(terms.part)
    // A part that is billed again replaces its first bill: the least counts.
    if (known === undefined || asks(bill) < known) parts.set(terms.part, asks(bill))
    divisions.set(terms.parts, parts)
  }
  for (const parts of divisions.values())
    most = larger(
      most,
      [...parts.values()].reduce((sum, one) => sum + one, 0n),
    )
  return most
}

/**
 * An invoice asks for more than the signed amount beside it; or a bill, dated before the firm quote ends which its job
 * names, asks for more than that. A bill dated later, a job that is not what was quoted, and an indication prove nothing.
 */
export const invoiceBait: FaultRule = {
  id: 'E3',
  says: 'It billed more than it had signed.',
  basis: 'signed',
  share: 500,
  *judge(matter) {
    const bills = billsOf(matter)
    yield check('bill', bills.length > 0)
    if (matter.own(quote).length === 0)
      return yield check(
        'invoice-above-amount',
        bills.some(({ msats, invoiced = 0n }) => invoiced > msats),
      )
    yield check('firm', firmQuotes(matter).length > 0)
    yield check('asked', askedFor(matter).length > 0)
    const bound = bindingQuotes(matter)
    yield check('job', bound.length > 0)
    const inTime = bound.map(({ quote: { value }, job }) => ({
      msats: value.msats,
      bills: bills.filter(bill => bill.job === job.event.id && bill.at < value.expiresAt),
    }))
    yield check(
      'in-time',
      inTime.some(one => one.bills.length > 0),
    )
    yield check(
      'above-quote',
      inTime.some(one => wholeOf(one.bills) > one.msats),
    )
  },
}

/** Reasons against a zap receipt that its own bytes decide, whoever judges and whenever. */
const ownReasons: ReadonlySet<string> = new Set([
  ...[
    'receipt-kind',
    'receipt-p',
    'receipt-e',
    'receipt-P',
    'receipt-bolt11',
    'receipt-description',
    'receipt-request',
  ],
  ...['receipt-repeats', 'recipient', 'job-binding', 'sender', 'receipt-before-invoice', 'receipt-after-expiry'],
  ...['bad-invoice', 'amountless', 'preimage', 'description-hash', 'invoice-before-request', 'self-zap'],
  ...['request-p', 'request-e', 'request-P', 'request-amount', 'request-repeats', 'request-signature'],
  ...['request-recipient', 'request-job', 'zapper-mismatch', 'amount-request'],
])

/** A zap receipt in which nothing is wrong by its own bytes, for this job, node, payment and amount. */
function holds(zap: Event, label: Attestation, { tools, evidence }: FaultCase, proves: boolean): boolean {
  const read = zapReceipt.read(zap)
  const paid = read.ok ? tools.invoice(read.value.bolt11) : undefined
  if (!read.ok || !paid?.ok) return false
  const { hash, msats, payee, network } = paid.invoice
  const blank = { id: label.job, pubkey: '', created_at: 0, kind: label.kind, tags: [], content: '', sig: '' }
  const job = evidence.events.find(({ id }) => id === label.job) ?? blank
  const about = { job, node: label.node, zappers: [zap.pubkey], nodeKeys: [payee], network, now: label.at }
  const { reasons } = tools.judgeReceipt(zap, { ...about, verify: event => tools.verify(event) })
  if (reasons.some(reason => ownReasons.has(reason)) || (label.hash ?? hash) !== hash) return false
  return (label.msats ?? msats) === msats && (!proves || read.value.preimage !== undefined)
}

/** What an attested payment may rest on: a receipt, a preimage of the customer, or the word of the node itself. */
function restsOn(label: Attestation, events: readonly Event[], matter: FaultCase): boolean {
  const zaps = events.filter(({ kind }) => kind === zapReceipt.number)
  if (label.label === 'receipt-valid') return zaps.some(zap => holds(zap, label, matter, false))
  const named = new Set(events.map(({ id }) => id))
  const paidWord = matter
    .all(acknowledgement)
    .some(
      ({ event, value }) =>
        named.has(event.id) &&
        value.job === label.job &&
        value.node === label.node &&
        value.payments.some(({ hash, preimage }) => (label.hash ?? hash) === hash && reveals(preimage, hash)),
    )
  const nodeWord = matter
    .all(usageReceipt)
    .some(
      ({ event, value }) =>
        named.has(event.id) &&
        event.pubkey === label.node &&
        value.job === label.job &&
        value.payments.some(
          ({ hash, msats }) => (label.hash ?? hash) === hash && [msats, value.msats].includes(label.msats ?? msats),
        ),
    )
  return paidWord || nodeWord || zaps.some(zap => holds(zap, label, matter, true))
}

/** Every preimage that the evidence shows for the payment opens it, and there is one. */
function opensAll(label: Attestation, events: readonly Event[], { all, tools }: FaultCase): boolean {
  const named = new Set(events.map(({ id }) => id))
  const shown = [
    ...all(zapReceipt).flatMap(({ event, value: { bolt11, preimage } }) => {
      const read = tools.invoice(bolt11)
      return preimage !== undefined && named.has(event.id)
        ? [{ preimage, hash: read.ok ? read.invoice.hash : undefined }]
        : []
    }),
    ...all(acknowledgement).flatMap(({ event, value }) => (named.has(event.id) ? value.payments : [])),
  ].filter(({ preimage }) => preimage !== undefined)
  const about = shown.filter(({ hash }) => hash === label.hash)
  return (
    about.length > 0 && about.length === shown.length && about.every(({ preimage, hash }) => reveals(preimage, hash))
  )
}

/** Labels of payments that the evidence which they name refutes, where all of it is shown. */
const refuted = (told: Told<Attestation>, matter: FaultCase): boolean => {
  const { value: label } = told
  const named = new Set(label.evidence)
  const events = matter.evidence.events.filter(({ id }) => named.has(id))
  if (label.label === 'settled' || label.label === 'receipt-valid') return !restsOn(label, events, matter)
  return label.label === 'forged' && label.failed.join() === 'preimage' && opensAll(label, events, matter)
}

/**
 * A payment was attested on named evidence, all of which is shown and none of which bears it out: a receipt whose own
 * bytes contradict it, a preimage of another payment, another job, amount or node. Or it was called forged for a preimage
 * that is right. What a judge could know beside its evidence (who announced which key, who was first) is no fault.
 */
export const falseAttestation: FaultRule = {
  id: 'E8',
  says: 'It attested about a payment what its own evidence refutes.',
  basis: 'signed',
  share: 1_000,
  *judge(matter) {
    const labels = matter.own(attestation).filter(({ value }) => value.topic === 'payment')
    yield check('attestation', labels.length > 0)
    const there = new Set(matter.evidence.events.map(({ id }) => id))
    const whole = labels.filter(({ value }) => value.evidence.every(id => there.has(id)))
    yield check('evidence', whole.length > 0)
    yield check(
      'refuted',
      whole.some(told => refuted(told, matter)),
    )
  },
}
