/**
 * What a client writes down of one job: its beginning, every fact that changed it, and how its orders ended, in one
 * durable step each and before anything is done about it.
 * @module
 */
import { type Announcement, type Event, parseEvent, present, type Split, type WishedTerms } from '../../kinds/index.ts'
import type { Clock } from '../clock.ts'
import { seconds } from '../clock.ts'
import { fromHex, toHex } from '../hash.ts'
import { type ClientAsk, openClientJob } from '../job/client-side.ts'
import type { ClientFact, ClientJob } from '../job.ts'
import { isEnd, step } from '../job.ts'
import type { Journal, Plain, Weight } from '../journal/journal.ts'

/** What a client has to know of a node to pay it. */
export type NodeFacts = Pick<
  Announcement,
  'priceMsats' | 'nodeKeys' | 'custodial' | 'zappers' | 'v' | 'splits' | 'lud16'
>

/** What a job is opened from again. */
export interface Opening {
  readonly request: Event
  /** Signed the request; one job may have a key of its own. */
  readonly secret: Uint8Array
  readonly ask: ClientAsk
  readonly announcement?: NodeFacts
  readonly terms?: WishedTerms
  /** The exact text of the zap request, where a receipt is wanted. */
  readonly zapRequest?: string
  /** The beginning of the answer, where it was bought from another node. */
  readonly begun?: string
}

export interface Keeping {
  keep(job: ClientJob, fact: ClientFact | undefined): void
  /** Nothing is left to do for the job. */
  end(): void
}

const money: ReadonlySet<ClientFact['fact']> = new Set([
  'cleared',
  'paid',
  'unproven',
  'pay-failed',
  'pay-unknown',
  'unsent',
  'result',
  'opened',
])

export function openKeeping(options: { journal: Journal; clock: Clock; opening: Opening }): Keeping {
  const { journal, clock, opening } = options
  const { id, capMsats } = opening.ask
  const at = () => seconds(clock)

  /** How the job's order stands after a fact. */
  function orders(job: ClientJob, fact: ClientFact, weight: Weight) {
    const hash = job.order?.hash
    if (hash !== undefined && journal.orders.get(hash)) {
      if (fact.fact === 'paid' && job.pay === 'paid')
        journal.orders.end(hash, { state: 'paid', preimage: fact.preimage, feeMsats: fact.feeMsats, at: at() }, weight)
      if (fact.fact === 'unproven' && job.pay === 'unproven') journal.orders.end(hash, { state: 'unproven', at: at() })
      if (job.pay === 'failed') journal.orders.end(hash, { state: 'failed', at: at() })
    }
    // An order that was let through and never sent must not count against the caps for ever.
    if (isEnd(job.state) && job.pay === undefined)
      for (const order of journal.orders.list({ job: id, state: 'planned' }).filter(one => one.purpose === 'job'))
        journal.orders.end(order.hash, { state: 'failed', at: at() })
  }

  function weightOf(job: ClientJob, fact: ClientFact): Weight {
    if (capMsats === 0n || !money.has(fact.fact)) return 'plain'
    // The order is on the disk: the wallet tells again that it was paid, and the node what was paid for.
    return (fact.fact === 'paid' || fact.fact === 'result') && job.pay === 'paid' && !job.sealed ? 'soon' : 'money'
  }

  return {
    keep(job, fact) {
      if (fact === undefined) {
        // No money moves before the first write that is money, which carries this to the disk.
        journal.jobs.open({ side: 'client', id, at: at(), opening: written(opening) }, 'plain')
        return
      }
      if (fact.fact === 'chunk') return
      const weight = weightOf(job, fact)
      journal.atomically(() => {
        journal.jobs.fact('client', id, fact as Plain, weight)
        orders(job, fact, weight)
      }, weight)
    },
    end: () => journal.jobs.end('client', id, at()),
  }
}

/** The job as the kept facts leave it: the same reducer, no acts. */
export function replay(ask: ClientAsk, facts: readonly Plain[]): ClientJob {
  let [job] = openClientJob(ask)
  for (const fact of facts) [job] = step(job, fact as ClientFact)
  return job
}

function written({ request, secret, ask, announcement, terms, zapRequest, begun }: Opening): Plain {
  const node = announcement && {
    ...(announcement.priceMsats === undefined ? {} : { priceMsats: announcement.priceMsats }),
    nodeKeys: [...announcement.nodeKeys],
    zappers: [...announcement.zappers],
    custodial: announcement.custodial,
    ...(announcement.v === undefined ? {} : { v: announcement.v }),
    ...(announcement.lud16 === undefined ? {} : { lud16: announcement.lud16 }),
    ...(announcement.splits ? { splits: announcement.splits.map(split => ({ ...split })) } : {}),
  }
  return {
    request: JSON.stringify(request),
    secret: toHex(secret),
    ask: { ...ask },
    ...(node ? { announcement: node } : {}),
    ...(terms ? { terms: { ...terms } } : {}),
    ...(zapRequest ? { zapRequest } : {}),
    ...(begun ? { begun } : {}),
  }
}

/** A kept beginning, or `undefined` for one that is none. */
export function readOpening(kept: Plain): Opening | undefined {
  const { request, secret, ask, announcement, terms, zapRequest, begun } = kept as Partial<Record<string, Plain>>
  const event = typeof request === 'string' ? parseEvent(request) : undefined
  if (!event || typeof secret !== 'string' || typeof ask !== 'object' || ask === null) return undefined
  const { node, capMsats, parts, from, now, ttlSeconds } = ask as Partial<Record<string, Plain>>
  if (typeof capMsats !== 'bigint' || typeof now !== 'number' || typeof ttlSeconds !== 'number') return undefined
  return {
    request: event,
    secret: fromHex(secret),
    ask: {
      ...{ id: event.id, capMsats, now, ttlSeconds },
      ...(typeof node === 'string' ? { node } : {}),
      ...(typeof parts === 'number' ? { parts } : {}),
      ...(typeof from === 'number' ? { from } : {}),
    },
    ...(announcement ? { announcement: nodeFacts(announcement as Partial<Record<string, Plain>>) } : {}),
    ...(terms ? { terms: terms as WishedTerms } : {}),
    ...(typeof zapRequest === 'string' ? { zapRequest } : {}),
    ...(typeof begun === 'string' ? { begun } : {}),
  }
}

const texts = (list: Plain | undefined): string[] =>
  Array.isArray(list) ? list.filter(item => typeof item === 'string') : []

const splitsOf = (list: Plain | undefined): Split[] =>
  Array.isArray(list)
    ? list.flatMap(item => {
        const { pubkey, relay, weight } = item as Partial<Record<string, Plain>>
        const reads = typeof pubkey === 'string' && typeof relay === 'string' && typeof weight === 'number'
        return reads ? [{ pubkey, relay, weight }] : []
      })
    : []

function nodeFacts(kept: Partial<Record<string, Plain>>): NodeFacts {
  const { priceMsats, nodeKeys, zappers, custodial, v, splits, lud16 } = kept
  return {
    ...present({
      priceMsats: typeof priceMsats === 'bigint' ? priceMsats : undefined,
      lud16: typeof lud16 === 'string' ? lud16 : undefined,
      splits: splits === undefined ? undefined : splitsOf(splits),
    }),
    v: typeof v === 'number' ? v : 0,
    nodeKeys: texts(nodeKeys),
    zappers: texts(zappers),
    custodial: custodial === true,
  }
}
