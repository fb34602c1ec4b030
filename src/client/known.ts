/**
 * Jobs as the journal tells of them, running and ended, and as relays that kept their answers do.
 * @module
 */
import {
  about,
  type Event,
  type Finish,
  feedback,
  isSealed,
  jobKind,
  type Privacy,
  present,
} from '../../kinds/index.ts'
import { query, type Relays } from '../../relays/relay.ts'
import type { Clock } from '../clock.ts'
import { isEnd, type State } from '../job.ts'
import type { JobRow, Journal, Plain } from '../journal/journal.ts'
import type { Keys } from '../keys.ts'
import { openPayloads } from '../payload/index.ts'
import { openUnder } from '../seal/under-preimage.ts'
import { mostAnswerBytes } from './fetching.ts'
import type { Identities } from './identity.ts'
import { readOpening, replay } from './keeping.ts'
import { unpackResult } from './large.ts'
import { wrappedFrom } from './levels.ts'
import { type Opened, reopenJob } from './opening.ts'
import { spentMsats } from './outcome.ts'
import { openVoice } from './voice.ts'

/** One job of this client. */
export interface KnownJob {
  readonly request: string
  readonly kind: number
  /** Unix seconds at which it was asked. */
  readonly at: number
  readonly node?: string
  readonly state: State
  /** Paid to the node. */
  readonly msats: bigint
  /** The answer as it came; lines of deltas where these were asked for. */
  readonly text?: string
  readonly finish?: Finish
  readonly says?: string
  /** The level that it relies on. */
  readonly privacy: Privacy
}

export interface KnownOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly clock: Clock
  readonly journal: Journal
  readonly identities: Identities
}

export interface Known {
  jobs(): readonly KnownJob[]
  job(request: string): KnownJob | undefined
  lookUp(request: string, signal?: AbortSignal): Promise<KnownJob | undefined>
  withdraw(request: string): Promise<boolean>
}

type Row = JobRow & { readonly facts: readonly Plain[] }

/** Ended jobs that are listed, and orders that are looked through for those that were paid before them. */
const mostEnded = 1_000
const mostOrders = 1_000

export function openKnown({ relays, keys, clock, journal, identities }: KnownOptions): Known {
  function open(row: Row) {
    const opening = readOpening(row.opening)
    if (!opening || !jobKind(opening.request.kind)) return undefined
    return { opened: reopenJob(opening, identities.of(opening.secret)), job: replay(opening.ask, row.facts) }
  }

  function knownJob(row: Row): KnownJob | undefined {
    const found = open(row)
    if (!found) return undefined
    const { opened, job } = found
    const { answer, why, node = opened.opening.ask.node } = job
    const told = job.state === 'delivered' || job.state === 'owed' ? answer : undefined
    return {
      ...{ request: row.id, kind: opened.opening.request.kind, at: row.at, state: job.state },
      ...{ msats: spentMsats(job), privacy: opened.privacy },
      ...present({ node, text: told?.text, finish: told?.finish, says: why?.says }),
    }
  }

  const find = (request: string) => journal.jobs.find('client', request)

  return {
    jobs() {
      const rows = new Map<string, Row>(journal.jobs.unfinished('client').map(row => [row.id, row]))
      for (const row of journal.jobs.ended('client', mostEnded)) rows.set(row.id, row)
      for (const { purpose, job } of journal.orders.list({ limit: mostOrders })) {
        const row = purpose === 'job' && job !== undefined && !rows.has(job) ? find(job) : undefined
        if (row) rows.set(row.id, row)
      }
      return [...rows.values()]
        .flatMap(row => knownJob(row) ?? [])
        .sort((a, b) => b.at - a.at || (a.request < b.request ? -1 : 1))
    },
    job(request) {
      const row = find(request)
      return row && knownJob(row)
    },
    async lookUp(request, signal) {
      const row = find(request)
      const found = row && open(row)
      const known = row && knownJob(row)
      // Relays kept nothing of a job in wraps, and a question about it would name it.
      if (!found || !known || known.text !== undefined || known.privacy >= wrappedFrom) return known
      return (await heardOf(found.opened, known, found.job.preimage, signal)) ?? known
    },
    async withdraw(request) {
      const row = find(request)
      const found = row && row.endedAt === undefined ? open(row) : undefined
      if (!found || isEnd(found.job.state)) return false
      const { opening, identity, privacy } = found.opened
      // Written before its node is told, so that nobody pays for it any more.
      journal.jobs.fact('client', request, { fact: 'cancel' }, 'money')
      const voice = openVoice({
        ...{ relays, keys, clock, opening, seal: identity.seal, hidden: privacy >= wrappedFrom },
      })
      voice.withdraw()
      await voice.withdrawn()
      return true
    },
  }

  /** What the relays kept of the node's words: the answer where it is there, else why there is none. */
  async function heardOf(
    { opening, identity }: Opened,
    known: KnownJob,
    preimage: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<KnownJob | undefined> {
    const { request } = opening
    const results = jobKind(request.kind)?.result
    const author = known.node
    if (!results || author === undefined) return undefined
    const asked = about([request.id], [results.number, feedback.number], { authors: [author] })
    const events = await query(relays, [asked], signal)
    const opened = (event: Event): string | undefined => {
      try {
        return isSealed(event) ? identity.seal.decrypt(event.pubkey, event.content) : undefined
      } catch {
        return undefined
      }
    }
    for (const event of events.filter(({ kind }) => kind === results.number)) {
      const read = results.read(event, opened(event))
      if (!read.ok || read.value.job !== request.id) continue
      const got = await unpackResult(read.value, {
        ...{ payloads: openPayloads({ relays, keys, clock }), author, mostBytes: mostAnswerBytes },
        ...(isSealed(event) ? { decrypt: identity.seal.decrypt } : {}),
        ...present({ signal }),
      })
      if (!got.ok) continue
      const { text, finish, sealedUnder } = got.value
      if (!sealedUnder) return { ...known, ...present({ text, finish }) }
      const under = preimage === undefined ? undefined : await openUnder(preimage, text, sealedUnder)
      if (under?.ok) return { ...known, text: under.text, ...present({ finish }) }
    }
    for (const event of events.filter(({ kind }) => kind === feedback.number)) {
      const read = feedback.read(event, opened(event))
      if (read.ok && read.value.job === request.id && read.value.status === 'error' && read.value.says)
        return { ...known, says: read.value.says }
    }
    return undefined
  }
}
