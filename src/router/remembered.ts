/**
 * Which requests were answered, and which were begun and are not: what a killed router needs so that nobody gets two
 * answers and who was asked to pay still gets one.
 * @module
 */
import { type Event, parseEvent } from '../../kinds/index.ts'
import { type Clock, seconds } from '../clock.ts'
import type { Journal } from '../journal/journal.ts'

export interface Remembered {
  isAnswered(request: string): boolean
  /** Call inside the write that keeps the answer. */
  answered(request: string): void
  /** That write was undone. */
  unanswered(request: string): void
  /** A request whose answer takes a while. */
  begin(asked: Event): void
  /** It is over, answered or not. */
  forget(request: string): void
  /** What an earlier process had begun. */
  open(): Event[]
  close(): void
}

/** Requests are ephemeral: no relay brings one back after so long. */
const keptSeconds = 3_600
const answersShelf = 'router-answers'
const sweepMs = 600_000

/** A request that a routing event of ours answers, taken back from the relays. `at` is unix seconds. */
export const recallAnswer = (journal: Journal, request: string, at: number): void =>
  journal.shelf(answersShelf).set(request, at)

export function openRemembered(journal: Journal, clock: Clock): Remembered {
  const answers = journal.shelf(answersShelf)
  const requests = journal.shelf('router-requests')
  const known = new Map<string, number>()
  const begun = new Set<string>()
  let cancel = () => {}
  for (const [request, at] of answers.entries()) known.set(request, Number(at))
  for (const [request] of requests.entries()) begun.add(request)

  const sweep = () => {
    const before = seconds(clock) - keptSeconds
    for (const [request, at] of [...known])
      if (at < before) {
        known.delete(request)
        answers.delete(request, 'plain')
      }
    cancel = clock.after(sweepMs, sweep)
  }
  sweep()

  return {
    isAnswered: request => known.has(request),
    answered(request) {
      known.set(request, seconds(clock))
      answers.set(request, seconds(clock), 'money')
    },
    unanswered: request => void known.delete(request),
    begin(asked) {
      if (begun.has(asked.id)) return
      begun.add(asked.id)
      requests.set(asked.id, JSON.stringify(asked), 'soon')
    },
    forget(request) {
      if (begun.delete(request)) requests.delete(request, 'plain')
    },
    open: () =>
      [...requests.entries()].flatMap(([, text]) => {
        const event = typeof text === 'string' ? parseEvent(text) : undefined
        return event ? [event] : []
      }),
    close: () => cancel(),
  }
}
