/**
 * E7: what was signed contradicts what was promised to all.
 * @module
 */
import { addressees, type Event, feedback, handler, isSealed, textRequest, textResult } from '../../kinds/index.ts'
import { check, type FaultCase, type FaultCheck, type FaultRule, type Witness } from './fault-case.ts'

/** Answers of the accused whose text everybody can read. */
function spokenAloud({ own }: FaultCase): { readonly event: Event; readonly job: string }[] {
  const results = own(textResult).flatMap(({ event, value: { job, text, sealedUnder } }) =>
    text === '' || sealedUnder ? [] : [{ event, job }],
  )
  const partials = own(feedback).flatMap(({ event, value: { job, status, content } }) =>
    status === 'partial' && content !== '' ? [{ event, job }] : [],
  )
  return [...results, ...partials].filter(({ event }) => !isSealed(event))
}

/** A job that came sealed to the accused, and could be opened by it, was answered for all to read. */
function* answeredAloud(matter: FaultCase): Generator<FaultCheck> {
  const aloud = spokenAloud(matter)
  yield check('plain-answer', aloud.length > 0)
  const wanted = new Set(aloud.map(({ job }) => job))
  const jobs = matter.evidence.events.filter(
    ({ id, kind, pubkey }) => kind === textRequest.number && wanted.has(id) && pubkey !== matter.accused,
  )
  yield check('job', jobs.length > 0)
  const asked = jobs.filter(job => addressees(job).includes(matter.accused))
  yield check('addressed', asked.length > 0)
  const sealed = asked.filter(isSealed)
  yield check('sealed', sealed.length > 0)
  // Whoever could not open a job had nothing to keep for itself.
  const open = new Set(matter.all(textRequest).map(({ event }) => event.id))
  yield check(
    'opens',
    sealed.some(({ id }) => open.has(id)),
  )
}

/** A bill is payable to a Lightning node that the announcement in force does not name, though it names its own. */
function* foreignPayee(matter: FaultCase, witness: Witness): Generator<FaultCheck> {
  const announced = matter.own(handler)
  const exclusive = announced.filter(({ value }) => value.nodeKeys.length > 0 && !value.custodial)
  yield check('own-node-keys', exclusive.length > 0)
  const payees = matter.own(feedback).flatMap(({ event, value: { status, bolt11 } }) => {
    const read = bolt11 === undefined || status !== 'payment-required' ? undefined : matter.tools.invoice(bolt11)
    return read?.ok ? [{ at: event.created_at, payee: read.invoice.payee }] : []
  })
  yield check('bill', payees.length > 0)
  const pairs = exclusive.flatMap(({ event, value }) => payees.map(one => ({ event, ...one, known: value.nodeKeys })))
  const later = pairs.filter(({ event, at }) => at > event.created_at && witness.inForce(event, at))
  yield check('in-force', later.length > 0)
  yield check(
    'foreign-payee',
    later.some(({ payee, known }) => !known.includes(payee)),
  )
}

/**
 * Promises that hold whenever they are compared: what came sealed is answered sealed. An announcement may be replaced at
 * any time, and the older one still carries a valid signature: what contradicts it proves something only to a judge who
 * knows that it was in force, and such a finding says `in-force` among its checks.
 */
export const brokenPolicy: FaultRule = {
  id: 'E7',
  says: 'It did what it had promised not to do.',
  basis: 'signed',
  share: 500,
  *judge(matter) {
    if (matter.own(handler).length === 0) return yield* answeredAloud(matter)
    const { witness } = matter.tools
    yield check('witness', witness !== undefined)
    if (witness) yield* foreignPayee(matter, witness)
  },
}
