/**
 * What an earlier process left: which jobs were published under which key, and how those go on that had not ended.
 * @module
 */
import type { Client } from '../client/client.ts'
import { readOpening, replay } from '../client/keeping.ts'
import { type Clock, pause, seconds } from '../clock.ts'
import { isEnd } from '../job.ts'
import type { JobRow, Journal, Plain } from '../journal/journal.ts'
import { answeredOf, keptAnswer } from './answer.ts'
import type { Running } from './asking.ts'
import { reason, unanswered } from './failure.ts'
import { looksLikeDeltas, openLinks } from './links.ts'
import { openMoments } from './moments.ts'
import { openReading } from './reading.ts'
import type { Answered, Moment, Unanswered } from './session.ts'

export interface Earlier {
  /** Takes up every job that had not ended. Call it once. */
  resume(): void
  /** A job is published under this key: written before its payment leaves. */
  link(key: string, request: string, paying: boolean): void
  /** The job that an earlier process published under this key and that runs, or has an answer that is not too old. */
  under(key: string): Running | undefined
  /** A job that was taken up. */
  running(request: string): Running | undefined
  readonly open: readonly Running[]
}

/** A job that was taken up is waited for so long, after its own time. */
const patienceMs = 120_000

export interface EarlierOptions {
  readonly client: Client
  readonly clock: Clock
  readonly journal: Journal
  /** Age of an answer, in seconds, up to which it is handed out again. */
  readonly keySeconds: number
  readonly giveUp: AbortSignal
}

/** Opens the shelf of keys in the journal. */
export function openEarlier({ client, clock, journal, keySeconds, giveUp }: EarlierOptions): Earlier {
  const links = openLinks({ journal, clock })
  const taken = new Map<string, Running>()

  return {
    resume() {
      links.forget()
      const books = new Map<string, (moment: Moment) => void>()
      const jobs = client.resume((event, request) => {
        const tell = books.get(request.id)
        if (event.event === 'paying') tell?.({ moment: 'paying', msats: event.msats })
        if (event.event === 'processing') tell?.({ moment: 'processing' })
      })
      for (const { request, outcome } of jobs) {
        const moments = openMoments()
        moments.add({ moment: 'asked', request: request.id })
        const late = pause(clock, patienceMs, giveUp).then(() => undefined)
        const end = Promise.race([outcome, late]).then(
          (found): Answered | Unanswered => {
            if (!found)
              return unanswered('given-up', 'The job of an earlier process has not ended yet.', { request: request.id })
            const { text = '', msats, ms } = found
            if (!found.ok)
              return unanswered(found.code ?? 'failed', found.says ?? '', { request: request.id, msats, ms })
            const deltas = looksLikeDeltas(text)
            for (const delta of openReading(deltas).push(text)) moments.add({ moment: 'delta', delta })
            return answeredOf(found, deltas, { msats, feeMsats: 0n, attempts: [], ms })
          },
          (error: unknown) => unanswered('trouble', reason(error), { request: request.id }),
        )
        const whole = end.finally(() => moments.end())
        const running = {
          ...{ moments, outcome: whole, request: Promise.resolve(request.id), requests: new Set([request.id]) },
          ...{ withdraw: () => {}, stays: true },
        }
        books.set(request.id, moments.add)
        taken.set(request.id, running)
      }
    },
    link: links.add,
    under(key) {
      for (const request of [...links.of(key)].reverse()) {
        const one = taken.get(request)
        if (one) return one
        const row = journal.jobs.find('client', request)
        if (!row || (row.endedAt !== undefined && row.endedAt < seconds(clock) - keySeconds)) continue
        const answer = keptAnswer(row)
        if (answer) return ended(answer)
        const ordered = () => journal.orders.list({ job: request }).some(({ state }) => state !== 'failed')
        if (row.endedAt === undefined && !hasEnded(row) && ordered())
          return ended(unanswered('payment-unknown', inDoubt(request), { request }))
      }
      return undefined
    },
    running: request => taken.get(request),
    get open() {
      return [...taken.values()]
    },
  }
}

/** Its money is accounted for; what its node may still keep of it is asked for by itself. */
function hasEnded({ opening: kept, facts }: JobRow & { readonly facts: readonly Plain[] }): boolean {
  const opening = readOpening(kept)
  return opening !== undefined && isEnd(replay(opening.ask, facts).state)
}

const inDoubt = (request: string): string =>
  `Money for job ${request} may have left, and nobody waits for it any more: "gridstr job ${request} --wait" goes on with it.`

/** An end that is there, as if it had just come. */
export function ended(answer: Answered | Unanswered): Running {
  const moments = openMoments()
  const { request = '' } = answer
  const outcome = Promise.resolve(answer)
  const about = {
    moments,
    outcome,
    request: Promise.resolve(request),
    requests: new Set([request]),
    withdraw: () => {},
  }
  moments.add({ moment: 'asked', request, ...(answer.ok && answer.node !== '' ? { node: answer.node } : {}) })
  if (!answer.ok) {
    moments.end()
    return about
  }
  const { text, logprobs, toolCalls } = answer
  if (text !== '' || logprobs.length > 0)
    moments.add({ moment: 'delta', delta: { text, ...(logprobs.length > 0 ? { logprobs } : {}) } })
  for (const [index, call] of toolCalls.entries())
    moments.add({ moment: 'delta', delta: { toolCall: { index, ...call } } })
  moments.end()
  return about
}
