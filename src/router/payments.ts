/**
 * Payments as they are attested: whenever another paper of a job comes, what is there is judged, and said if it says
 * more than what was said before. The order of arrival does not matter.
 * @module
 */
import { addressees, type Event, present } from '../../kinds/index.ts'
import { bounded } from '../bounded.ts'
import type { Entry } from '../ledger/directory.ts'
import { peekInvoice } from '../payments/bolt11.ts'
import type { Network } from '../payments/payment.ts'
import { type JudgeContext, type Judgement, judge } from './attest.ts'
import type { Case } from './cases.ts'
import type { Labels } from './labels.ts'
import { ackOf, bolt11Of, jobOf, usageOf, zapOf } from './reads.ts'

export interface PaymentsOptions {
  readonly labels: Labels
  readonly network: Network
  servicesOf(node: string): readonly Entry[]
  verify(event: Event): boolean
  /** Unix seconds. */
  now(): number
}

export interface Payments {
  /** Judges what is there. What may still become better is said when it has waited. */
  consider(one: Case): void
  /** A node was announced: jobs whose papers waited for that. */
  announced(node: string): readonly string[]
  /** Jobs that have waited for a better word, or for room to say it: consider them or drop them. */
  due(): readonly string[]
  drop(job: string): void
  /** The word for a payment that both sides stand by was written, or is under way. */
  isPaid(one: Case): boolean
  /** Some payment of it holds, whether or not the node said so in public. */
  isMade(one: Case): boolean
  /** So it is for every payment that the node names: nothing more can be learned of them. */
  isWhole(one: Case): boolean
}

/** Seconds in which the node's own word usually follows its zap receipt. */
const patienceSeconds = 30
const perNode = 32
const mostPatient = 10_000

interface Found {
  readonly judgement: Judgement
  readonly evidence: readonly string[]
  readonly at: number
  readonly by: 'zap' | 'proof'
  readonly node: string
  readonly usage?: Event
}

export function openPayments(options: PaymentsOptions): Payments {
  const { labels, network, servicesOf, verify, now } = options
  const unannounced = bounded<string, Set<string>>(1_000)
  const patient = new Map<string, number>()
  const [settled, valid] = [labels.rank('settled'), labels.rank('receipt-valid')]

  function consider(one: Case) {
    const { request } = one
    if (!request || one.zaps.length + one.acks.length === 0) return
    const waited = (patient.get(one.job) ?? Number.POSITIVE_INFINITY) <= now()
    if (waited) patient.delete(one.job)
    for (const found of [...zapsOf(one, request), ...proofsOf(one, request)]) say(one, request, found, waited)
  }

  function say(one: Case, request: Event, found: Found, waited: boolean) {
    const { judgement, evidence, at, by, node, usage } = found
    const { label, hash, msats } = judgement
    const rank = labels.rank(label)
    if (rank <= (one.labels.get(hash ?? '') ?? -1)) return
    if ((label === 'receipt-valid' || label === 'invoice-only') && !waited) return wait(one.job)
    const model = one.routed?.model ?? modelOf(request, usage, servicesOf(node))
    const written = labels.payment(
      present({
        ...{ topic: 'payment' as const, label, node, job: one.job, evidence: [...new Set(evidence)].slice(0, 16) },
        ...{ customer: request.pubkey, kind: request.kind, model },
        ...{ checks: judgement.passed, failed: judgement.failed, msats, hash, routing: one.routed?.routing },
        at: Math.min(now(), at),
        says: says(judgement),
      }),
      by,
    )
    if (written) one.labels.set(hash ?? '', rank)
    else if (label === 'settled') wait(one.job)
  }

  /** All wait equally long, so that the map is in the order of their dates. */
  function wait(job: string) {
    if (!patient.has(job) && patient.size < mostPatient) patient.set(job, now() + patienceSeconds)
  }

  /** Job, bill and usage receipt came through the door with their signatures verified; what they quote did not. */
  const believing =
    (...known: readonly (Event | undefined)[]) =>
    (event: Event) =>
      known.includes(event) || verify(event)

  function* zapsOf(one: Case, request: Event): Generator<Found> {
    for (const { event: zap, firstSeen } of one.zaps) {
      const said = zapOf(zap)
      const paid = said && peekInvoice(said.bolt11)
      const hash = paid?.ok ? paid.invoice.hash : undefined
      if (one.labels.get(hash ?? '') === settled) continue
      const named = addressees(request)
      const node = said && (named.length === 0 || named.includes(said.recipient)) ? said.recipient : named[0]
      if (node === undefined) continue
      const services = servicesOf(node)
      if (services.length === 0) {
        expect(node, one.job)
        continue
      }
      const zappers = services.flatMap(({ announcement }) => announcement.zappers)
      const usage = one.usages.find(event => event.pubkey === node && names(event, hash))
      const bill = one.bills.find(event => event.pubkey === node && said && bolt11Of(event) === said.bolt11)
      const offer = bill ?? usage
      const bidMsats = jobOf(request)?.bidMsats
      const context: JudgeContext = {
        ...{ job: request, node, network, offer, now: now() },
        zappers: zappers.length > 0 ? zappers : [node],
        nodeKeys: services.flatMap(({ announcement }) => announcement.nodeKeys),
        verify: believing(request, zap, offer),
        attestedFor: known => labels.attestedFor(known, 'zap'),
        ...(firstSeen === undefined ? {} : { firstSeen }),
        ...(bidMsats === undefined ? {} : { bidMsats }),
      }
      const evidence = [zap.id, ...(bill ? [bill.id] : []), ...(usage ? [usage.id] : [])]
      const found = { judgement: judge({ zap }, context), evidence, at: zap.created_at, by: 'zap', node } as const
      yield usage ? { ...found, usage } : found
    }
  }

  function* proofsOf(one: Case, request: Event): Generator<Found> {
    if (one.usages.length === 0) return
    const named = addressees(request)
    for (const ack of one.acks) {
      const said = ackOf(ack)
      if (!said || ack.pubkey !== request.pubkey) continue
      const { node, payments } = said
      const usage = one.usages.find(event => event.pubkey === node)
      if (!usage || (named.length > 0 && !named.includes(node))) continue
      if (servicesOf(node).length === 0) {
        expect(node, one.job)
        continue
      }
      const bidMsats = jobOf(request)?.bidMsats
      for (const { hash } of payments) {
        // A hash that the node does not name may be another receiver's.
        if (one.labels.get(hash) === settled || !names(usage, hash)) continue
        const judgement = judge(
          { acknowledgement: ack, usage, hash },
          {
            ...{ job: request, node, network, now: now(), zappers: [], nodeKeys: [] },
            verify: believing(request, ack, usage),
            attestedFor: known => labels.attestedFor(known, 'proof'),
            ...(bidMsats === undefined ? {} : { bidMsats }),
          },
        )
        yield { judgement, evidence: [ack.id, usage.id], at: ack.created_at, by: 'proof', node, usage }
      }
    }
  }

  function expect(node: string, job: string) {
    const jobs = unannounced.get(node) ?? new Set()
    if (jobs.size < perNode) jobs.add(job)
    unannounced.set(node, jobs)
  }

  return {
    consider,
    announced(node) {
      const jobs = unannounced.get(node)
      if (!jobs) return []
      unannounced.delete(node)
      return [...jobs]
    },
    due() {
      const at = now()
      const jobs: string[] = []
      // In the order of their dates.
      for (const [job, until] of patient) {
        if (until > at) break
        jobs.push(job)
      }
      return jobs
    },
    drop: job => void patient.delete(job),
    isPaid: one => [...one.labels.values()].includes(settled),
    isMade: one => [...one.labels.values()].some(rank => rank >= valid),
    isWhole({ usages, labels: said }) {
      const named = usages.flatMap(event => usageOf(event)?.payments ?? [])
      return named.length > 0 && named.every(({ hash }) => said.get(hash) === settled)
    },
  }
}

/** The model that a payment was for: what the node metered, what was asked for, or the only one that it has. */
function modelOf(request: Event, usage: Event | undefined, services: readonly Entry[]): string {
  const names = new Set(services.flatMap(({ announcement }) => announcement.models.map(({ name }) => name)))
  const [only = ''] = names.size === 1 ? names : []
  return (usage && usageOf(usage)?.model) ?? jobOf(request)?.model ?? only
}

/** Whether a node's usage receipt names a payment. */
const names = (usage: Event, hash: string | undefined): boolean =>
  usageOf(usage)?.payments.some(payment => payment.hash === hash) === true

const words: { readonly [label in Judgement['label']]: string } = {
  settled: 'Node and customer stand by it, and the preimage is there.',
  'receipt-valid': 'Everything holds, and the node’s own word is not public.',
  'invoice-only': 'Nobody showed the preimage.',
  'amount-mismatch': 'What was asked, billed and paid differ.',
  duplicate: 'This payment was attested for another job.',
  forged: 'It is not what it says.',
}
const says = ({ label, reasons }: Judgement): string =>
  reasons.length === 0 ? words[label] : `${words[label]} (${reasons.join(', ').slice(0, 800)})`
