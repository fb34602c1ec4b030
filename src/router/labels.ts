/**
 * Labels on their way into the chain: each judgement is written once, is upgraded when more is known, and nobody can
 * make this router write more than it wants to.
 * @module
 */
import { type Attestation, attestation, type Event } from '../../kinds/index.ts'
import type { Clock } from '../clock.ts'
import { seconds } from '../clock.ts'
import { openBuckets } from '../intake/buckets.ts'
import type { Journal, Shelf } from '../journal/journal.ts'
import type { PaymentLabel } from './attest.ts'
import type { Chain } from './chain.ts'

/** A label without its place in the chain. */
export type Draft = Omit<Attestation, 'seq' | 'prev' | 'commit'>

export interface LabelsOptions {
  readonly chain: Chain
  readonly journal: Journal
  readonly clock: Clock
  readonly limits: LabelLimits
  onWritten(event: Event, draft: Draft): void
  onTrouble(says: string): void
}

export interface LabelLimits {
  /** Labels about one node, and about all. */
  readonly perNodePerMinute: number
  readonly perMinute: number
  /** Labels that say that a payment is not what it claims to be, about all: strangers cause them for nothing. */
  readonly badPerMinute: number
}

export interface Labels {
  /** How good a label of a payment is; a better one replaces a worse one. */
  rank(label: PaymentLabel): number
  /** The job for which a payment was attested, where it was one of these or stronger evidence. */
  attestedFor(hash: string, by: 'zap' | 'proof'): string | undefined
  /** False where there is no room for it now. `by` is what it rests on. */
  payment(draft: Draft, by: 'zap' | 'proof'): boolean
  outcome(draft: Draft): boolean
  audit(draft: Draft): boolean
  /** A proven fault, however often its job was audited. `claim` is asked inside the write: whether it is still due. */
  fault(draft: Draft, claim: () => boolean): boolean
  isJudged(topic: 'outcome' | 'audit', job: string): boolean
}

const order: readonly PaymentLabel[] = [
  'forged',
  'duplicate',
  'amount-mismatch',
  'invoice-only',
  'receipt-valid',
  'settled',
]
const names: readonly string[] = order
const shelves = { payments: 'router-payments', hashes: 'router-hashes', judged: 'router-judged' } as const
const paymentKey = ({ job, hash = '' }: Pick<Draft, 'job' | 'hash'>): string => `${job}:${hash}`
const bad: ReadonlySet<string> = new Set(order.slice(0, 4))

/** It was written before, or something better was. Nothing is wrong. */
class Known extends Error {
  override readonly name = 'Known'
}

/** What a label that was taken back from the relays keeps from being said again. Call it in the order of the log. */
export function recallLabel(journal: Journal, label: Attestation): void {
  const { topic, job, hash, checks, failed } = label
  if (topic !== 'payment') {
    journal.shelf(shelves.judged).set(`${topic} ${job}`, label.label)
    return
  }
  journal.shelf(shelves.payments).set(paymentKey(label), label.label)
  // Only a zap receipt is tried for who signed it.
  const by = [...checks, ...failed].includes('zapper') ? 'zap' : 'proof'
  const hashes = journal.shelf(shelves.hashes)
  if (hash !== undefined && !bad.has(label.label) && (by === 'zap' || hashes.get(hash) === undefined))
    hashes.set(hash, `${by} ${job}`)
}

export function openLabels(options: LabelsOptions): Labels {
  const { chain, journal, clock, limits, onWritten, onTrouble } = options
  const payments = journal.shelf(shelves.payments)
  const hashes = journal.shelf(shelves.hashes)
  const judged = journal.shelf(shelves.judged)
  const now = () => clock.now()
  const all = openBuckets(limits.perMinute, limits.perMinute / 4, 1, now)
  const nodes = openBuckets(limits.perNodePerMinute, limits.perNodePerMinute / 4, 10_000, now)
  const bads = openBuckets(limits.badPerMinute, limits.badPerMinute / 4, 1, now)
  const rankOf = (label: unknown): number => names.indexOf(String(label))

  /** Hashes of labels that are under way: two jobs may claim one in the same moment. */
  const claimed = new Map<string, string>()

  function write(draft: Draft, claim: () => boolean, done = () => {}): boolean {
    const isBad = draft.topic === 'payment' && bad.has(draft.label)
    if (!all.has('') || !nodes.has(draft.node) || (isBad && !bads.has(''))) return false
    all.take('')
    nodes.take(draft.node)
    if (isBad) bads.take('')
    const writing = chain.append(({ seq, prev, commit }) => {
      const template = attestation.write({ ...draft, seq, prev, commit }, seconds(clock))
      if (!claim()) throw new Known()
      return template
    }, true)
    writing.then(
      event => {
        done()
        onWritten(event, draft)
      },
      error => {
        done()
        if (!(error instanceof Known)) onTrouble(String(error))
      },
    )
    return true
  }

  const once = (shelf: Shelf, key: string, value: string) => shelf.claim(key, value, 'money')

  return {
    rank: rankOf,
    attestedFor(hash, by) {
      const kept = hashes.get(hash) ?? claimed.get(hash)
      if (typeof kept !== 'string') return undefined
      const [how, job] = kept.split(' ')
      // A zap receipt is bound to its job by the invoice itself; two words about a hash are not.
      return by === 'proof' || how === 'zap' ? job : undefined
    },
    payment(draft, by) {
      const key = paymentKey(draft)
      const rank = rankOf(draft.label)
      if (rankOf(payments.get(key)) >= rank) return true
      const { hash, job, label } = draft
      const good = hash !== undefined && !bad.has(label)
      const taken = write(
        draft,
        () => {
          if (rankOf(payments.get(key)) >= rank) return false
          payments.set(key, label, 'money')
          if (good && (by === 'zap' || hashes.get(hash) === undefined)) hashes.set(hash, `${by} ${job}`, 'money')
          return true
        },
        () => {
          if (good) claimed.delete(hash)
        },
      )
      if (taken && good) claimed.set(hash, `${by} ${job}`)
      return taken
    },
    outcome: draft => write(draft, () => once(judged, `outcome ${draft.job}`, draft.label)),
    audit: draft => write(draft, () => once(judged, `audit ${draft.job}`, draft.label)),
    fault: write,
    isJudged: (topic, job) => judged.get(`${topic} ${job}`) !== undefined,
  }
}
