/**
 * E2, E4 and E10: what was sold was not delivered.
 * @module
 */
import { acknowledgement, attestation, type Feedback, feedback, textResult } from '../../kinds/index.ts'
import { check, type FaultCase, type FaultRule, reveals, type Told } from './fault-case.ts'
import { bindingQuotes } from './fault-quotes.ts'

/**
 * Text was sold under the preimage of a payment, and the right preimage does not open it to the digest that was signed
 * beside it. Ciphertext, hash and digest are one signed event; whoever made it had the preimage, or could not have sealed.
 */
export const hashLockFraud: FaultRule = {
  id: 'E2',
  says: 'It sold a sealed text that its own preimage does not open to what it promised.',
  basis: 'signed',
  share: 1_000,
  async *judge({ evidence: { preimage }, tools, own }) {
    const results = own(textResult)
    yield check('result', results.length > 0)
    const under = results.flatMap(({ value: { text, sealedUnder, chunked } }) =>
      // A text in chunks is no part of the evidence.
      sealedUnder && chunked === undefined ? [{ text, sealedUnder }] : [],
    )
    yield check('sealed-under', under.length > 0)
    const paid = under.filter(({ sealedUnder }) => reveals(preimage, sealedUnder.hash))
    yield check('preimage', paid.length > 0)
    const found = await Promise.all(paid.map(one => tools.openUnder(preimage ?? '', one.text, one.sealedUnder)))
    yield check(
      'garbage',
      found.some(one => !one.ok && (one.rule === 'ciphertext' || one.rule === 'digest')),
    )
  },
}

const isBill = ({ value }: Told<Feedback>): boolean => value.status === 'payment-required' && value.bolt11 !== undefined

const THIRTY_DAYS = 30 * 86_400
const CHALLENGE_SECONDS = 600
const LEAST_CASES = 3
const LEAST_OBSERVERS = 2

interface Failed {
  readonly job: string
  readonly payer: string
  readonly at: number
}

/** Bills of the accused whose customer shows that they were paid and says that nothing came. */
function unansweredOf({ accused, tools, own, all }: FaultCase): (Failed & { readonly challengedAt: number })[] {
  const complaints = all(acknowledgement).filter(({ value }) => value.verdict === 'failed' && value.node === accused)
  return own(feedback)
    .filter(isBill)
    .flatMap(({ event, value: { job, customer, bolt11 = '' } }) => {
      const read = tools.invoice(bolt11)
      const complaint = complaints.find(
        ({ event: said, value }) =>
          value.job === job &&
          said.pubkey === customer &&
          said.pubkey !== accused &&
          said.created_at >= event.created_at &&
          read.ok &&
          value.payments.some(({ hash, preimage }) => hash === read.invoice.hash && reveals(preimage, hash)),
      )
      if (!complaint || customer === undefined) return []
      return [{ job, payer: customer, at: event.created_at, challengedAt: complaint.event.created_at }]
    })
}

/**
 * A threshold rule, not a proof: nobody can sign that something did not come. At least three paid jobs within 30 days, of
 * two payers at least that the judge knows to be two, each with preimage, complaint, and two observers whom the judge
 * believes and who heard nothing ten minutes after it; a result that anybody shows, or that the judge knows, cures the case.
 */
export const acceptThenFail: FaultRule = {
  id: 'E4',
  says: 'Threshold rule: it took money for three jobs or more, and those who listen heard no answer.',
  basis: 'witnessed',
  share: 250,
  *judge(matter) {
    const { accused, own, all } = matter
    const { witness } = matter.tools
    yield check('witness', witness !== undefined)
    if (!witness) return
    const paid = unansweredOf(matter)
    yield check('paid', new Set(paid.map(({ job }) => job)).size >= LEAST_CASES)
    const shown = new Set(own(textResult).map(({ value }) => value.job))
    const uncured = paid.filter(({ job }) => !shown.has(job) && !witness.answered(job, accused))
    yield check('unanswered', new Set(uncured.map(({ job }) => job)).size >= LEAST_CASES)
    const silent = all(attestation).filter(
      ({ event, value }) =>
        value.topic === 'outcome' &&
        value.label === 'failed' &&
        value.node === accused &&
        witness.observer(event.pubkey),
    )
    const observed = uncured.filter(({ job, payer, challengedAt }) => {
      const who = silent.filter(
        ({ event, value }) =>
          value.job === job &&
          event.pubkey !== payer &&
          event.pubkey !== accused &&
          event.created_at >= challengedAt + CHALLENGE_SECONDS,
      )
      return new Set(who.map(({ event }) => event.pubkey)).size >= LEAST_OBSERVERS
    })
    yield check('observed', new Set(observed.map(({ job }) => job)).size >= LEAST_CASES)
    const near = observed
      .map(first => observed.filter(({ at }) => at >= first.at && at <= first.at + THIRTY_DAYS))
      .filter(some => new Set(some.map(({ job }) => job)).size >= LEAST_CASES)
    yield check('within-30-days', near.length > 0)
    yield check(
      'two-payers',
      near.some(some =>
        some.some(one => some.some(other => one.payer !== other.payer && witness.unrelated(one.payer, other.payer))),
      ),
    )
  },
}

/** Reasons that belong before an acceptance: they say that a job was never taken. All others may befall an honest node. */
const refusals: ReadonlySet<string> = new Set(['busy', 'too-many', 'unpaid-bills', 'rate-limited', 'underbid', 'surge'])
/** Reasons that a firm quote rules out. */
const priceRefusals: ReadonlySet<string> = new Set(['underbid', 'surge'])

/**
 * A bill accepts a job until it expires: after it, and strictly later, no error may say that the job was never taken. A
 * firm quote accepts a price: no error about the price may follow a job that names it in time and bids as much.
 * Whatever can go wrong during the work stays allowed, and so is slowness.
 */
export const refuseAfterAccept: FaultRule = {
  id: 'E10',
  says: 'It accepted a job and then refused it for a reason that it had to give before.',
  basis: 'signed',
  share: 250,
  *judge(matter) {
    const said = matter.own(feedback)
    const errors = said.filter(({ value }) => value.status === 'error' && refusals.has(value.code ?? ''))
    yield check('refusal', errors.length > 0)
    const billed = said
      .filter(isBill)
      .flatMap(({ event, value: { job, expiresAt } }) =>
        expiresAt === undefined ? [] : [{ job, from: event.created_at + 1, until: expiresAt, codes: refusals }],
      )
    const quoted = bindingQuotes(matter).flatMap(({ quote, job }) => {
      const { bidMsats } = job.value
      if (bidMsats === undefined || bidMsats < quote.value.msats) return []
      const from = quote.event.created_at
      return [{ job: job.event.id, from, until: quote.value.expiresAt, codes: priceRefusals }]
    })
    const accepted = [...billed, ...quoted]
    yield check('acceptance', accepted.length > 0)
    const same = errors.flatMap(error => accepted.flatMap(one => (one.job === error.value.job ? [{ error, one }] : [])))
    yield check('same-job', same.length > 0)
    const barred = same.filter(({ error, one }) => one.codes.has(error.value.code ?? ''))
    yield check('barred', barred.length > 0)
    yield check(
      'in-time',
      barred.some(({ error, one }) => error.event.created_at >= one.from && error.event.created_at < one.until),
    )
  },
}
