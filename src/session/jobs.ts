/**
 * Jobs of this client as its journal tells of them, and as relays that kept their answers do; also beside the process
 * that has the journal in hand.
 * @module
 */
import type { Relays } from '../../relays/relay.ts'
import { openIdentities } from '../client/identity.ts'
import { type KnownJob as ClientsJob, openKnown } from '../client/known.ts'
import type { Clock } from '../clock.ts'
import type { Journal } from '../journal/journal.ts'
import type { Keys } from '../keys.ts'
import { looksLikeDeltas, readLinks } from './links.ts'
import { readAnswer } from './reading.ts'
import type { KnownJob } from './session.ts'

export interface JobsOptions {
  readonly journal: Journal
  /** Absent: only the journal is looked into. */
  readonly relays?: Relays
  readonly keys: Keys
  readonly clock: Clock
}

export interface Jobs {
  /** Those that have not ended, the last thousand that have, those that were paid, those under a key. Newest first. */
  list(): readonly KnownJob[]
  /** One job, asked anew of the relays where its answer is not here. */
  find(request: string, signal?: AbortSignal): Promise<KnownJob | undefined>
  /**
   * Withdraws a job that an earlier process left; false where there is none that could be. Open a session afterwards: it
   * accounts for the money.
   */
  withdraw(request: string): Promise<boolean>
}

/** Opens the view. Looking writes nothing. */
export function openJobs({ journal, relays = nowhere, keys, clock }: JobsOptions): Jobs {
  const identities = openIdentities({ relays, keys, clock, secret: keys.newSecret(), ready: false })
  const known = openKnown({ journal, relays, keys, clock, identities })
  const isId = (request: string) => /^[0-9a-f]{64}$/.test(request)
  return {
    list() {
      const jobs = new Map(known.jobs().map(job => [job.request, job]))
      for (const request of readLinks(journal)) {
        const job = jobs.has(request) ? undefined : known.job(request)
        if (job) jobs.set(request, job)
      }
      return [...jobs.values()].map(readable).sort((a, b) => b.at - a.at || (a.request < b.request ? -1 : 1))
    },
    async find(request, signal) {
      const job = isId(request) ? await known.lookUp(request, signal) : undefined
      return job && readable(job)
    },
    withdraw: async request => isId(request) && known.withdraw(request),
  }
}

/** The text of an answer that came as deltas. */
const readable = ({ text, ...job }: ClientsJob): KnownJob =>
  text === undefined ? job : { ...job, text: readAnswer(text, looksLikeDeltas(text)).text }

/** No relay at all. */
const nowhere: Relays = {
  urls: [],
  publish: async () => ({ accepted: 0, enough: false, acks: [] }),
  listen(_, { onEose }) {
    onEose?.()
    return { live: Promise.resolve(), close() {} }
  },
  state: () => [],
  async close() {},
}
