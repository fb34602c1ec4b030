/**
 * What a node writes down of one job: its beginning, every fact that changed it, and the bills and credits that follow,
 * in one durable step each and before anything is done about it.
 * @module
 */
import { type Event, parseEvent } from '../../kinds/index.ts'
import type { Clock } from '../clock.ts'
import { seconds } from '../clock.ts'
import type { MeteredPrice } from '../job/cost.ts'
import { type NodeAsk, openNodeJob } from '../job/node-side.ts'
import type { NodeAct, NodeFact, NodeJob, When } from '../job.ts'
import { isEnd, step } from '../job.ts'
import type { Journal, Plain, Weight } from '../journal/journal.ts'

/** What a job is opened from again. */
export interface Opening {
  readonly request: Event
  readonly ask: NodeAsk
  /** Key of the verifier of an escrow. */
  readonly verifier?: string
  /** The request came in a wrap: every word about it leaves in one. */
  readonly wrapped?: true
}

/** A kept beginning, or `undefined` for one that is none. */
export function readOpening(kept: Plain): Opening | undefined {
  const { request, ask, verifier, wrapped } = kept as Partial<Record<string, Plain>>
  const event = typeof request === 'string' ? parseEvent(request) : undefined
  const { msats, when, parts, from, metered, now, ttlSeconds } = (ask ?? {}) as Partial<Record<string, Plain>>
  if (!event || typeof msats !== 'bigint' || typeof now !== 'number' || typeof ttlSeconds !== 'number') return undefined
  return {
    request: event,
    ask: {
      ...{ id: event.id, customer: event.pubkey, msats, when: when as When, now, ttlSeconds },
      ...(typeof parts === 'number' ? { parts } : {}),
      ...(typeof from === 'number' ? { from } : {}),
      ...(metered === undefined ? {} : { metered: metered as Plain & MeteredPrice }),
    },
    ...(typeof verifier === 'string' ? { verifier } : {}),
    ...(wrapped === true ? { wrapped } : {}),
  }
}

export interface Keeping {
  keep(job: NodeJob, fact: NodeFact | undefined, acts: readonly NodeAct[]): void
  /** The job will never act again. */
  forget(): void
}

const money: ReadonlySet<NodeFact['fact']> = new Set([
  'billed',
  'paid',
  'held',
  'result',
  'part-done',
  'verdict',
  'unsettled',
  'spent',
  'fault',
])

export function openKeeping(options: { journal: Journal; clock: Clock; opening: Opening }): Keeping {
  const { journal, clock, opening } = options
  const { id, customer, msats } = opening.ask
  const at = () => seconds(clock)
  const begin = () => {
    const { request, verifier, wrapped } = opening
    const { when, parts = 1, from = 0, metered, now, ttlSeconds } = opening.ask
    const more = { ...(from > 0 ? { from } : {}), ...(metered ? { metered: { ...metered } } : {}) }
    const kept = { request: JSON.stringify(request), ask: { msats, when, parts, ...more, now, ttlSeconds } }
    // A request is told again by relays and customer; its first bill or answer carries this to the disk.
    journal.jobs.open(
      {
        side: 'node',
        id,
        at: at(),
        opening: { ...kept, ...(verifier ? { verifier } : {}), ...(wrapped ? { wrapped } : {}) },
      },
      'plain',
    )
  }

  function bills(job: NodeJob, fact: NodeFact, weight: Weight) {
    if (fact.fact === 'billed' && job.bill?.hash === fact.bill.hash) {
      const { hash, bolt11, msats: asked, expiresAt } = fact.bill
      const owed = job.state === 'owed' ? { credit: true } : {}
      journal.bills.add({ hash, bolt11, msats: asked, expiresAt, job: id, customer, purpose: 'job', at: at(), ...owed })
    }
    if (fact.fact === 'paid' && journal.bills.get(fact.paid.hash))
      journal.bills.end(
        fact.paid.hash,
        { state: 'paid', msats: fact.paid.msats, preimage: fact.paid.preimage, at: at() },
        weight,
      )
    if (isEnd(job.state) && job.bill && !job.paid && fact.fact !== 'paid')
      journal.bills.end(job.bill.hash, { state: job.when === 'after' && job.answer ? 'defaulted' : 'void', at: at() })
  }

  function weightOf(job: NodeJob, fact: NodeFact, acts: readonly NodeAct[]): Weight {
    if (msats === 0n || !money.has(fact.fact)) return 'plain'
    // The bill is on the disk and the wallet tells that it was paid: a node that forgot it works and answers again.
    const begins = fact.fact === 'paid' && job.state === 'running'
    const answers = fact.fact === 'result' && job.when === 'before' && job.state === 'delivered'
    return (begins || answers) && !acts.some(({ act }) => act === 'credit') ? 'soon' : 'money'
  }

  return {
    keep(job, fact, acts) {
      // Refusals cost strangers nothing: they are not worth a row.
      if (fact === undefined) {
        if (job.state !== 'refused') begin()
        return
      }
      if (fact.fact === 'chunk' || job.state === 'refused') return
      const weight = weightOf(job, fact, acts)
      journal.atomically(() => {
        journal.jobs.fact('node', id, fact as Plain, weight)
        bills(job, fact, weight)
        for (const act of acts)
          if (act.act === 'credit')
            journal.bills.credit({ id: act.id, customer, job: id, msats: act.msats, why: fact.fact, at: at() })
      }, weight)
    },
    forget: () => journal.jobs.end('node', id, at()),
  }
}

/** The job as the kept facts leave it: the same reducer, no acts. */
export function replay(ask: NodeAsk, facts: readonly Plain[]): NodeJob {
  let [job] = openNodeJob(ask)
  for (const fact of facts) [job] = step(job, fact as NodeFact)
  return job
}
