/**
 * Which jobs were published under which key, on a shelf of the journal; and how a kept answer is told from a plain one.
 * @module
 */
import { type Clock, seconds } from '../clock.ts'
import { sha256Hex } from '../hash.ts'
import type { Journal, Plain } from '../journal/journal.ts'

export interface Links {
  /** Writes that this job was published under this key; `paying`: its money leaves next. */
  add(key: string, request: string, paying: boolean): void
  /** Jobs under a key, oldest first. */
  of(key: string): readonly string[]
  /** Lets go of what is old. */
  forget(): void
}

/** Keys that are kept, for how many seconds, and jobs of one key. */
const most = 10_000
const keptSeconds = 7 * 86_400
const mostJobs = 32
const name = 'session keys'

/** Opens the shelf. A key is kept as its sha256: it may tell what was asked. */
export function openLinks({ journal, clock }: { readonly journal: Journal; readonly clock: Clock }): Links {
  const shelf = journal.shelf(name)

  function forget() {
    const before = seconds(clock) - keptSeconds
    const all = [...shelf.entries()]
    const over = Math.max(0, all.length - most)
    for (const [at, [key, value]] of all.entries())
      if (at < over || (readLink(value)?.at ?? 0) < before) shelf.delete(key, 'plain')
  }

  return {
    add(key, request, paying) {
      const place = sha256Hex(key)
      const before = readLink(shelf.get(place))?.requests ?? []
      if (before.includes(request)) return
      // The order of a payment is `money`, and whatever was written before it is on the disk with it.
      const weight = paying ? 'money' : 'plain'
      shelf.set(place, { requests: [...before, request].slice(-mostJobs), at: seconds(clock) }, weight)
      if (shelf.size > most) forget()
    },
    of: key => readLink(shelf.get(sha256Hex(key)))?.requests ?? [],
    forget,
  }
}

/** All jobs that were published under any key. */
export const readLinks = (journal: Journal): readonly string[] =>
  [...journal.shelf(name).entries()].flatMap(([, value]) => readLink(value)?.requests ?? [])

function readLink(kept: Plain | undefined): { readonly requests: readonly string[]; readonly at: number } | undefined {
  if (typeof kept !== 'object' || kept === null) return undefined
  const { requests, at } = kept as Partial<Record<string, Plain>>
  if (!Array.isArray(requests) || typeof at !== 'number') return undefined
  return { requests: requests.filter(one => typeof one === 'string'), at }
}

/** A sealed request does not say any more in what form it wanted its answer. */
export function looksLikeDeltas(text: string): boolean {
  const [first = ''] = text.split('\n', 1)
  return text.endsWith('\n') && /^\{"(text|toolCall|logprobs)":/.test(first)
}
