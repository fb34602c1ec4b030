/**
 * Jobs of this client as its journal tells of them, and as relays that kept their answers do.
 * @module
 */
import { about, cancel, type Event, feedback, isSealed, jobKind, present } from '../../kinds/index.ts'
import { query, type Relays } from '../../relays/relay.ts'
import { type Opening, readOpening, replay } from '../client/keeping.ts'
import { spentMsats } from '../client/outcome.ts'
import { type Clock, seconds } from '../clock.ts'
import { type ClientJob, isEnd } from '../job.ts'
import type { JobRow, Journal, Plain } from '../journal/journal.ts'
import type { Keys } from '../keys.ts'
import { openSeal } from '../seal.ts'
import { looksLikeDeltas, readLinks } from './links.ts'
import { readAnswer } from './reading.ts'
import type { KnownJob } from './session.ts'

type Row = JobRow & { readonly facts: readonly Plain[] }

/** Orders that are looked through for jobs that have ended. */
const mostOrders = 1_000

/** Every job that the journal knows: those that have not ended, those that were paid, those under a key. Newest first. */
export function knownJobs(journal: Journal): readonly KnownJob[] {
  const rows = new Map(journal.jobs.unfinished('client').map(row => [row.id, row]))
  const paid = journal.orders.list({ limit: mostOrders }).filter(({ purpose }) => purpose === 'job')
  for (const id of [...paid.map(({ job }) => job), ...readLinks(journal)]) {
    const row = id === undefined || rows.has(id) ? undefined : journal.jobs.find('client', id)
    if (row) rows.set(row.id, row)
  }
  return [...rows.values()]
    .flatMap(row => knownJob(row) ?? [])
    .sort((a, b) => b.at - a.at || (a.request < b.request ? -1 : 1))
}

/** One row as a person reads it; `undefined` for one that cannot be read. */
export function knownJob(row: Row): KnownJob | undefined {
  const opened = openRow(row)
  if (!opened) return undefined
  const { opening, job } = opened
  const { answer, why, node = opening.ask.node } = job
  return {
    ...{ request: row.id, kind: opening.request.kind, at: row.at, state: job.state, msats: spentMsats(job) },
    ...present({ node, text: answer && textOf(answer.text), says: why?.says }),
  }
}

function openRow(row: Row): { readonly opening: Opening; readonly job: ClientJob } | undefined {
  const opening = readOpening(row.opening)
  return opening && { opening, job: replay(opening.ask, row.facts) }
}

const textOf = (text: string): string => readAnswer(text, looksLikeDeltas(text)).text

export interface LookOptions {
  readonly journal: Journal
  /** Absent: only the journal is looked into. */
  readonly relays?: Relays
  readonly keys: Keys
}

/**
 * One job of the journal. Where it has not ended there, the relays are asked what its node said of it: the answer is
 * shown, and the money is left to whoever finishes the job.
 */
export async function lookAtJob(
  { journal, relays, keys }: LookOptions,
  request: string,
  signal?: AbortSignal,
): Promise<KnownJob | undefined> {
  const row = /^[0-9a-f]{64}$/.test(request) ? journal.jobs.find('client', request) : undefined
  const opened = row && openRow(row)
  const known = row && knownJob(row)
  if (!relays || !opened || !known || isEnd(opened.job.state)) return known
  const { opening } = opened
  const kind = jobKind(opening.request.kind)
  if (!kind) return known
  const authors = known.node === undefined ? {} : { authors: [known.node] }
  const events = await query(relays, [about([request], [kind.result.number, feedback.number], authors)], signal)
  const seal = openSeal({ keys, secret: opening.secret })
  for (const event of events) {
    const plain = unsealed(event, content => seal.decrypt(event.pubkey, content))
    if (plain === null) continue
    if (event.kind === kind.result.number) {
      const read = kind.result.read(event, plain)
      if (read.ok && read.value.job === request)
        return { ...known, node: event.pubkey, ...(read.value.sealedUnder ? {} : { text: textOf(read.value.text) }) }
    } else {
      const read = feedback.read(event, plain)
      if (read.ok && read.value.job === request && read.value.status === 'error')
        return { ...known, node: event.pubkey, ...present({ says: read.value.says || undefined }) }
    }
  }
  return known
}

/**
 * Withdraws a job that an earlier process left: written down as a fact before its node is told, so that nobody pays for it
 * any more. False where there is none that could be withdrawn. Open a session afterwards: it accounts for the money.
 */
export async function withdrawEarlier(
  { journal, relays, keys, clock }: LookOptions & { readonly relays: Relays; readonly clock: Clock },
  request: string,
): Promise<boolean> {
  const row = journal.jobs.find('client', request)
  const opened = row && row.endedAt === undefined ? openRow(row) : undefined
  if (!opened || isEnd(opened.job.state)) return false
  const { opening } = opened
  journal.jobs.fact('client', request, { fact: 'cancel' }, 'money')
  const value = { events: [request], kinds: [opening.request.kind], reason: '' }
  await relays.publish(keys.sign(cancel.write(value, seconds(clock)), opening.secret), { want: 1 })
  return true
}

/** The opened content, `undefined` for one that is open, `null` for one that does not open. */
function unsealed(event: Event, open: (content: string) => string): string | undefined | null {
  if (!isSealed(event)) return undefined
  try {
    return open(event.content)
  } catch {
    return null
  }
}
