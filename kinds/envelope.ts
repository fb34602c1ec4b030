/**
 * What can be told from the outside of any event, and the questions that are put to relays, so that no other room
 * spells a tag name.
 * @module
 */
import { isHex } from './hex.ts'
import type { Event, Template } from './kind.ts'
import { relayUrl } from './values.ts'

/** How relays keep a kind (NIP-01). Numbers that NIP-01 leaves open are kept like regular ones. */
export function kindClass(kind: number): 'regular' | 'replaceable' | 'ephemeral' | 'addressable' {
  if (kind === 0 || kind === 3 || (kind >= 10_000 && kind < 20_000)) return 'replaceable'
  if (kind >= 20_000 && kind < 30_000) return 'ephemeral'
  return kind >= 30_000 && kind < 40_000 ? 'addressable' : 'regular'
}

/** The result kind of a job kind, or `undefined` for what is no job (NIP-90: 5000-5999, result = +1000). */
export const resultKind = (kind: number): number | undefined =>
  kind >= 5_000 && kind < 6_000 ? kind + 1_000 : undefined

type Tagged = Pick<Event, 'tags'>
function first(event: Tagged, name: string): string | undefined {
  for (const tag of event.tags) if (tag[0] === name) return tag[1]
  return undefined
}

/** Everybody whom an event names by `p`. */
export const addressees = (event: Tagged): string[] =>
  event.tags.flatMap(tag => (tag[0] === 'p' && tag[1] !== undefined && isHex(tag[1], 64) ? [tag[1]] : []))

/** The events that an event names by `e`. */
export const referencesOf = (event: Tagged): string[] =>
  event.tags.flatMap(tag => (tag[0] === 'e' && tag[1] !== undefined && isHex(tag[1], 64) ? [tag[1]] : []))

/** Unix seconds after which an event is void (NIP-40), `undefined` where it says none or none that can be read. */
export function expirationOf(event: Tagged): number | undefined {
  const said = first(event, 'expiration')
  return said !== undefined && /^[0-9]{1,12}$/.test(said) ? Number(said) : undefined
}

/** Difficulty that an event commits to (NIP-13); 0 without a commitment, whatever its id looks like. */
export function committedPow(event: Tagged): number {
  const said = event.tags.find(tag => tag[0] === 'nonce')?.[2]
  return said !== undefined && /^[0-9]{1,3}$/.test(said) ? Number(said) : 0
}

/** The relays where the author of a job expects answers; at most ten. Readable on sealed jobs where they stayed public. */
export const relaysOf = (event: Tagged): string[] =>
  [
    ...new Set(
      event.tags
        .filter(tag => tag[0] === 'relays')
        .flatMap(tag => tag.slice(1, 101).flatMap(url => relayUrl(url) ?? [])),
    ),
  ].slice(0, 10)

/** The `d` of an addressable event; empty where it has none (NIP-01). */
export const identifierOf = (event: Tagged): string => first(event, 'd') ?? ''

/** NIP-01 filter as this room writes it; assignable to the filter of `relays/`. */
export interface Question {
  kinds: number[]
  authors?: string[]
  since?: number
  until?: number
  limit?: number
  [tag: `#${string}`]: string[] | undefined
}

interface Bounds {
  authors?: string[]
  since?: number
  until?: number
  limit?: number
}

/** Events of these kinds that name one of these events (`#e`): answers to a job, receipts, cancellations. */
export const about = (ids: string[], kinds: number[], bounds: Bounds = {}): Question => ({
  kinds,
  '#e': ids,
  ...bounds,
})

/** Events of these kinds that name one of these keys (`#p`): jobs for a provider, wallet answers for a client. */
export const addressedTo = (keys: string[], kinds: number[], bounds: Bounds = {}): Question => ({
  kinds,
  '#p': keys,
  ...bounds,
})

/** Events of these kinds, by whomever: open jobs, announcements. */
export const ofKinds = (kinds: number[], bounds: Bounds = {}): Question => ({ kinds, ...bounds })

/** Addressable events of these names (`#d`): benchmarks of a market, scores of a node. */
export const named = (ids: string[], kinds: number[], bounds: Bounds = {}): Question => ({
  kinds,
  '#d': ids,
  ...bounds,
})

/** Announcements of services that take a job kind (`#k`). */
export const offering = (job: number, kinds: number[], bounds: Bounds = {}): Question => ({
  kinds,
  '#k': [String(job)],
  ...bounds,
})

/** What a client signs when a relay asks who it is (NIP-42). Valid for some minutes. */
export const authTemplate = (challenge: string, relay: string, now: number): Template => ({
  kind: 22_242,
  created_at: now,
  tags: [
    ['relay', relay],
    ['challenge', challenge],
  ],
  content: '',
})
