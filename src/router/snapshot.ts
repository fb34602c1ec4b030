/**
 * What a router had heard and not yet judged, in its journal: together with the log it is all that a new process needs to
 * see the same market.
 * @module
 */
import { type Event, parseEvent } from '../../kinds/index.ts'
import type { Journal, Plain } from '../journal/journal.ts'
import { type Case, emptyCase, type HeardWord, weigh } from './cases.ts'

/** What is kept. `heardAt`: relays are asked again for what came after it, unix seconds. */
export interface Snapshot {
  readonly heardAt: number
  readonly events: Iterable<Event>
  readonly cases: Iterable<Case>
}

const partChars = 262_144

/** Replaces the snapshot of a journal. */
export function writeSnapshot(journal: Journal, { heardAt, events, cases }: Snapshot): void {
  const shelf = journal.shelf('router-snapshot')
  journal.atomically(() => {
    const before = countOf(shelf.get('head'))
    let parts = 0
    let lines: string[] = []
    let chars = 0
    const flush = () => {
      if (lines.length === 0) return
      shelf.set(`part ${parts++}`, lines, 'plain')
      lines = []
      chars = 0
    }
    const add = (line: string) => {
      lines.push(line)
      chars += line.length
      if (chars >= partChars) flush()
    }
    for (const event of events) add(`e${JSON.stringify(event)}`)
    for (const one of cases) add(`c${textOf(one)}`)
    flush()
    for (let part = parts; part < before; part++) shelf.delete(`part ${part}`, 'plain')
    shelf.set('head', { parts, heardAt }, 'plain')
  }, 'plain')
}

/** The snapshot of a journal, or an empty one. What cannot be read is left out: relays have it. */
export function readSnapshot(journal: Journal): { heardAt: number; events: Event[]; cases: Case[] } {
  const shelf = journal.shelf('router-snapshot')
  const head = shelf.get('head')
  const found = { heardAt: numberIn(head, 'heardAt'), events: [] as Event[], cases: [] as Case[] }
  for (let part = 0; part < countOf(head); part++) {
    const lines = shelf.get(`part ${part}`)
    for (const line of Array.isArray(lines) ? lines : []) {
      if (typeof line !== 'string') continue
      if (line.startsWith('e')) {
        const event = parseEvent(line.slice(1))
        if (event) found.events.push(event)
      } else {
        const one = caseOf(line.slice(1))
        if (one) found.cases.push(one)
      }
    }
  }
  return found
}

const numberIn = (value: Plain | undefined, name: string): number => {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) return 0
  const found = (value as { readonly [key: string]: Plain | undefined })[name]
  return typeof found === 'number' ? found : 0
}
const countOf = (head: Plain | undefined): number => numberIn(head, 'parts')

const textOf = ({ labels, ...rest }: Case): string => JSON.stringify({ ...rest, labels: [...labels] })

/** Our own line, so it has the shape that it was written in; events in it are read anew. */
function caseOf(text: string): Case | undefined {
  let said: Record<string, unknown>
  try {
    said = JSON.parse(text) as Record<string, unknown>
  } catch {
    return undefined
  }
  const { job, heardAt, routed, outcome, drawAt, saidAt, labels } = said
  if (typeof job !== 'string' || typeof heardAt !== 'number') return undefined
  const one = emptyCase(job, heardAt)
  const [request, answer] = [eventOf(said['request']), eventOf(said['answer'])]
  if (request) one.request = request
  if (answer) one.answer = answer
  if (typeof drawAt === 'number') one.drawAt = drawAt
  if (typeof saidAt === 'number') one.saidAt = saidAt
  if (routed) one.routed = routed as NonNullable<Case['routed']>
  one.outcome = outcome === true
  for (const name of ['bills', 'usages', 'acks'] as const)
    one[name].push(...listOf(said[name]).flatMap(item => eventOf(item) ?? []))
  for (const item of listOf(said['zaps'])) {
    const { event: heard, firstSeen } = item as { event?: unknown; firstSeen?: unknown }
    const event = eventOf(heard)
    if (event) one.zaps.push({ event, ...(typeof firstSeen === 'number' ? { firstSeen } : {}) })
  }
  for (const name of ['spoke', 'results'] as const) one[name].push(...(listOf(said[name]) as HeardWord[]))
  for (const [hash, rank] of listOf(labels) as [string, number][]) one.labels.set(hash, rank)
  for (const event of [one.request, one.answer, ...one.bills, ...one.usages, ...one.acks])
    if (event) one.chars += weigh(event)
  for (const { event } of one.zaps) one.chars += weigh(event)
  one.chars += 200 * (one.spoke.length + one.results.length)
  return one
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const eventOf = (value: unknown): Event | undefined =>
  value === undefined ? undefined : parseEvent(JSON.stringify(value))
