/**
 * How strangers' events come in: cheap questions first, the signature last, and out comes a frozen copy that is what
 * its author signed. Everything else is counted and dropped without an answer.
 * @module
 */
import { addressees, type Event, expirationOf } from '../kinds/index.ts'
import { seenSet } from './bounded.ts'
import { type Clock, seconds } from './clock.ts'
import { sha256Hex } from './hash.ts'
import { type Buckets, openBuckets } from './intake/buckets.ts'
import { copyTags, freezeEvent, isKind, isReadable, isTime, own, withProof } from './keys/copy.ts'
import { isSpeakable, serialized } from './keys/event-id.ts'

/** Seconds around now in which `created_at` must lie. `Infinity` is allowed. */
export interface Window {
  readonly past: number
  readonly ahead: number
}

export interface IntakeOptions {
  /**
   * The signature of a fresh copy whose id is proven here: `signed` of keys, or `verify`, which proves the id once more.
   * `chars` is the length of the text that was hashed.
   */
  verify(event: Event, chars: number): boolean
  clock: Clock
  kinds: readonly number[]
  /** Who we are: an event must name this key (or one that the function knows) by `p`. Absent: anybody's events. */
  me?: string | ((pubkey: string) => boolean)
  /** Also events that name nobody. Default false. */
  open?: boolean
  /** Largest event, in UTF-8 bytes of content and tag values. Default 262,144. */
  maxBytes?: number
  /** Default 2,000, as strfry has it. */
  maxTags?: number
  /** Values of all tags together. Default 10,000. */
  maxValues?: number
  /** Default 600 past, 60 ahead. */
  windowSeconds?: Window
  /** A different window for some kinds: ephemeral ones are worth less time, stored ones more. */
  windowOf?(kind: number): Window | undefined
  /** Admitted ids to remember, so that each event is admitted once. Default 100,000; 0 for doors behind which queries repeat. */
  seenMax?: number
  /** Per author. Charged for admitted events only: nobody can spend what is another's. Default: unlimited. */
  rate?: { perAuthorPerMinute: number; burst: number; authorsMax?: number }
  /**
   * Of all authors together, where keys are used once and a rate of each bounds nothing; one relay has half of it at most,
   * so that a flood through one leaves room for the others. Charged for admitted events only. `lets` is asked, before the
   * signature is, whether an event may come in nevertheless. Default: unlimited.
   */
  total?: { perMinute: number; burst: number; lets?(event: Event): boolean }
  /** Events with a wrong id or signature that one relay may bring per minute before it is not heard. Default 600. */
  forgeriesPerMinute?: number
}

/** In the order of the questions. */
export const reasons = [
  'shape',
  'size',
  'kind',
  'recipient',
  'time',
  'expired',
  'seen',
  'rate',
  'flood',
  'forgeries',
  'id',
  'signature',
] as const
export type Reason = (typeof reasons)[number]

export interface Intake {
  /** The `Admit` of relays. Never throws. */
  admit(raw: unknown, relay: string): Event | undefined
  /** How many were dropped, and why. */
  counts(): Record<Reason, number>
}

export function openIntake(options: IntakeOptions): Intake {
  const { verify, clock, me, open = false, maxBytes = 262_144, maxTags = 2000, maxValues = 10_000 } = options
  const { windowSeconds = { past: 600, ahead: 60 }, windowOf, seenMax = 100_000, rate } = options
  const { forgeriesPerMinute = 600, total } = options
  const kinds: ReadonlySet<number> = new Set(options.kinds)
  const seen = seenSet(seenMax)
  const nowMs = () => clock.now()
  const authors: Buckets | undefined =
    rate && openBuckets(rate.perAuthorPerMinute, rate.burst, rate.authorsMax ?? 10_000, nowMs)
  const all = total && openBuckets(total.perMinute, total.burst, 1, nowMs)
  const ways = total && openBuckets(total.perMinute / 2, Math.max(1, total.burst / 2), 1_000, nowMs)
  // Honest relays verify what they take, so a relay pays for the forgeries that it hands on, and not their victim.
  const relays = openBuckets(forgeriesPerMinute, forgeriesPerMinute, 1000, nowMs)
  const dropped = Object.fromEntries(reasons.map(reason => [reason, 0])) as Record<Reason, number>
  const isMe = typeof me === 'string' ? (pubkey: string) => pubkey === me : me

  function copy(raw: unknown): Event | Reason {
    if (!isReadable(raw)) return 'shape'
    const content = own(raw, 'content')
    const list = own(raw, 'tags')
    if (typeof content !== 'string' || !isReadable(list) || !Array.isArray(list)) return 'shape'
    if (content.length > maxBytes || list.length > maxTags) return 'size'
    const kind = own(raw, 'kind')
    if (!isKind(kind)) return 'shape'
    if (!kinds.has(kind)) return 'kind'
    const budget = { maxValues, maxChars: maxBytes - content.length, values: 0, chars: 0, passed: false }
    const tags = copyTags(list, budget)
    if (!tags) return budget.passed ? 'size' : 'shape'
    if (!fits(content, tags, content.length + budget.chars)) return 'size'
    const created_at = own(raw, 'created_at')
    if (!isTime(created_at)) return 'shape'
    return withProof(raw, { kind, created_at, tags, content }) ?? 'shape'
  }

  // A UTF-16 unit becomes three bytes at most, so only what is near the limit is counted byte by byte.
  function fits(content: string, tags: string[][], chars: number): boolean {
    if (chars * 3 <= maxBytes) return true
    const bytes = (text: string) => new TextEncoder().encode(text).length
    return tags.flat().reduce((sum, value) => sum + bytes(value), bytes(content)) <= maxBytes
  }

  function refusal(event: Event, relay: string): Reason | undefined {
    if (isMe) {
      const named = addressees(event)
      if (!(named.some(isMe) || (open && named.length === 0))) return 'recipient'
    }
    const now = seconds(clock)
    const { past, ahead } = windowOf?.(event.kind) ?? windowSeconds
    if (event.created_at < now - past || event.created_at > now + ahead) return 'time'
    if ((expirationOf(event) ?? Number.POSITIVE_INFINITY) <= now) return 'expired'
    if (seen.has(event.id)) return 'seen'
    if (authors && !authors.has(event.pubkey)) return 'rate'
    if ((all?.has('all') === false || ways?.has(relay) === false) && !total?.lets?.(event)) return 'flood'
    if (!relays.has(relay)) return 'forgeries'
    const text = serialized(event.pubkey, event)
    const named = sha256Hex(text) === event.id && isSpeakable(text, event)
    const forged = !named ? 'id' : verify(event, text.length) ? undefined : 'signature'
    if (forged) relays.take(relay)
    return forged
  }

  function copied(raw: unknown): Event | Reason {
    try {
      return copy(raw)
    } catch {
      // Only a proxy in a browser can throw here.
      return 'shape'
    }
  }

  return {
    admit(raw, relay) {
      const event = copied(raw)
      const reason = typeof event === 'string' ? event : refusal(event, relay)
      if (typeof event === 'string' || reason) {
        if (reason) dropped[reason]++
        return undefined
      }
      authors?.take(event.pubkey)
      all?.take('all')
      ways?.take(relay)
      if (seenMax > 0) seen.add(event.id)
      // Last, because the text of frozen lists is made more slowly.
      return freezeEvent(event)
    },
    counts: () => ({ ...dropped }),
  }
}
