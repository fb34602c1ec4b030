/**
 * What a router would have labelled: its own code hears the papers of one job again, in the order of their dates, and what
 * it would write is caught.
 * @module
 */
import { type Attestation, type Event, quoteRequest, routing } from '../../../kinds/index.ts'
import { handClock } from '../../clock.ts'
import { memoryJournal } from '../../journal/memory.ts'
import { openDirectory } from '../../ledger/index.ts'
import type { Network } from '../../payments/payment.ts'
import { openRoom } from '../../router/cases.ts'
import { openExperience } from '../../router/experience.ts'
import { type Draft, type Labels, openLabels } from '../../router/labels.ts'
import type { OwnRoute } from '../../router/memory.ts'
import { openPayments } from '../../router/payments.ts'

export type { Draft } from '../../router/labels.ts'

export interface ReplayOptions {
  readonly job: Event
  /** Bills, results, receipts, acknowledgements. */
  readonly papers: readonly Event[]
  /** Announcements of the node. */
  readonly announcements: readonly Event[]
  /** Routes of the router by id, for its own jobs. */
  routingOf(id: string): OwnRoute | undefined
  /** What was attested before. */
  readonly attestedFor: Labels['attestedFor']
  /** What the customer's word weighs. */
  weightOf(customer: string): number
  readonly network: Network
  /** When it was judged, unix seconds. */
  readonly at: number
  verify(event: Event): boolean
}

/** Seconds in which a router waits for a better word. */
const patienceSeconds = 31

/** The labels that come of these papers, in order. */
export function replayed(options: ReplayOptions): Draft[] {
  const { job, papers, announcements, at, network, verify } = options
  const drafts: Draft[] = []
  let now = job.created_at
  const directory = openDirectory({ max: 1 })
  for (const event of announcements) directory.heard(event, Math.max(at, event.created_at))
  const room = openRoom({ own: 4, others: 4, chars: 2 ** 24 })
  const labels: Labels = {
    ...judging(),
    attestedFor: options.attestedFor,
    payment: draft => drafts.push(draft) > 0,
    outcome: draft => drafts.push(draft) > 0,
    audit: () => true,
    isJudged: () => false,
  }
  const payments = openPayments({
    ...{ labels, network, verify, now: () => now },
    servicesOf: node => [...directory.entries()].filter(entry => entry.node === node),
  })
  const experience = openExperience({
    ...{ room, labels, payments, isAudited: false, routingOf: options.routingOf, meetings: () => 0, now: () => now },
    weights: { paidFee() {}, of: options.weightOf },
    audits: { heard() {}, onEntry() {}, close: async () => {} },
  })
  experience.heard(job)
  const rest = papers.filter(({ id }) => id !== job.id).toSorted((a, b) => a.created_at - b.created_at)
  for (const paper of rest) {
    now = Math.max(now, Math.min(paper.created_at, at))
    experience.heard(paper)
  }
  for (const until of [at, at + patienceSeconds]) {
    now = Math.max(now, until)
    experience.tick()
  }
  return drafts
}

const zeros = '0'.repeat(64)

/** The router's own memory of what it attested, fed with earlier labels about one payment. */
export function attestedBefore(earlier: readonly Attestation[]): Labels['attestedFor'] {
  const labels = judging()
  // Receipts and acknowledgements are tried for different things.
  for (const { seq: _, prev: __, commit: ___, ...draft } of earlier)
    labels.payment(draft, [...draft.checks, ...draft.failed].includes('acknowledgement') ? 'proof' : 'zap')
  return labels.attestedFor
}

function judging(): Labels {
  return openLabels({
    journal: memoryJournal(),
    clock: handClock(),
    limits: { perMinute: 1e9, perNodePerMinute: 1e9, badPerMinute: 1e9 },
    onWritten() {},
    onTrouble() {},
    chain: {
      position: () => ({ seq: 0, prev: '', commit: zeros }),
      async append(write) {
        const template = write({ seq: 0, prev: '', seed: zeros, commit: zeros })
        return { ...template, id: zeros, pubkey: zeros, sig: '' }
      },
      *entries() {},
      close: async () => {},
    },
  })
}

/** A routing event as its router remembers it. */
export function ownRoute(event: Event): OwnRoute | undefined {
  const read = event.kind === routing.number ? routing.read(event) : undefined
  if (!read?.ok) return undefined
  const { to, asked, candidates } = read.value
  const request = asked && quoteRequest.read(asked)
  const { model, deadlineMs } = request?.ok ? request.value : {}
  const models = new Map(candidates.map(one => [one.node, one.model ?? model ?? '']))
  return { id: event.id, to, models, ...(deadlineMs === undefined ? {} : { deadlineMs }) }
}
