/**
 * Who is there to be asked: announcements and heartbeats read from the relays, and the plainest way to choose among them.
 * @module
 */
import type { Announcement, Event, Privacy } from '../../kinds/index.ts'
import { handler, heartbeat, offering, ofKinds, privacyLevels, textRequest } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { query } from '../../relays/relay.ts'
import { askedMsats } from '../ledger/index.ts'
import { overCap } from '../payments/guard-limits.ts'

/** One service on offer. `alive`: it said so, and that has not expired. */
export interface Offer {
  readonly pubkey: string
  readonly announcement: Announcement
  readonly announcedAt: number
  readonly alive: boolean
}

export interface Wish {
  readonly capMsats: bigint
  /** Kind of work. Default text generation. */
  readonly kind?: number
  readonly model?: string
  /** Only this key. */
  readonly to?: string
  /** Only who keeps this level of privacy. */
  readonly privacy?: Privacy
}

/**
 * Everybody who announces a kind of work (default text generation), one offer per key, newest announcement. `now` is unix
 * seconds.
 */
export async function readMarket(
  relays: Relays,
  now: number,
  kind = textRequest.number,
  signal?: AbortSignal,
): Promise<Offer[]> {
  const events = await query(
    relays,
    [offering(kind, [handler.number], { limit: 500 }), ofKinds([heartbeat.number], { since: now - 900, limit: 500 })],
    signal,
  )
  const beats = new Map<string, number>()
  const offers = new Map<string, Offer>()
  for (const event of events) {
    if (event.kind === heartbeat.number) noteBeat(beats, event)
    else {
      const read = handler.read(event)
      const known = offers.get(event.pubkey)
      if (read.ok && (!known || known.announcedAt < event.created_at))
        offers.set(event.pubkey, {
          pubkey: event.pubkey,
          announcement: read.value,
          announcedAt: event.created_at,
          alive: false,
        })
    }
  }
  return [...offers.values()].map(offer => ({ ...offer, alive: (beats.get(offer.pubkey) ?? 0) > now }))
}

function noteBeat(beats: Map<string, number>, event: Event) {
  const read = heartbeat.read(event)
  if (read.ok) beats.set(event.pubkey, Math.max(beats.get(event.pubkey) ?? 0, read.value.expiresAt))
}

export type Choice =
  | { readonly ok: true; readonly offer: Offer }
  | { readonly ok: false; readonly code: 'no-node' | 'over-cap' | 'no-model' | 'privacy'; readonly says: string }

/** The alive before the silent, then the cheapest, then the newest announcement. A price that nobody said comes last. */
export function chooseNode(offers: readonly Offer[], wish: Wish): Choice {
  const named = wish.to === undefined ? offers : offers.filter(offer => offer.pubkey === wish.to)
  if (named.length === 0)
    return {
      ok: false,
      code: 'no-node',
      says: wish.to
        ? 'The chosen node has not announced itself on these relays: check the key, or add its relay with --relay.'
        : 'Nobody offers this work on these relays: start a node (gridstr node), or add another relay with --relay.',
    }
  const able = named.filter(
    ({ announcement }) =>
      wish.model === undefined ||
      announcement.models.length === 0 ||
      announcement.models.some(m => m.name === wish.model),
  )
  if (able.length === 0) {
    const names = [...new Set(named.flatMap(({ announcement }) => announcement.models.map(m => m.name)))].slice(0, 10)
    return {
      ok: false,
      code: 'no-model',
      says: `Nobody offers the model "${wish.model}". On offer: ${names.join(', ')}.`,
    }
  }
  const { kind = textRequest.number, model } = wish
  const asks = ({ announcement }: Offer) => announcement.priceMsats ?? askedMsats(announcement, { kind, model })
  const { privacy } = wish
  const fit = able.filter(({ announcement }) => privacy === undefined || privacyLevels(announcement).includes(privacy))
  if (fit.length === 0) {
    const kept = [...new Set(able.flatMap(({ announcement }) => privacyLevels(announcement)))].sort()
    const says = `Nobody here keeps level ${privacy} of privacy. Kept: ${kept.join(', ') || 'none'}: choose with --privacy.`
    return { ok: false, code: 'privacy', says }
  }
  const rank = (offer: Offer) => [offer.alive ? 0 : 1, asks(offer) === undefined ? 1 : 0] as const
  const sorted = [...fit].sort((a, b) => {
    const [ra, rb] = [rank(a), rank(b)]
    const price = (asks(a) ?? 0n) - (asks(b) ?? 0n)
    return ra[0] - rb[0] || ra[1] - rb[1] || Number(price) || b.announcedAt - a.announcedAt
  })
  const offer = sorted.find(({ announcement }) => (announcement.priceMsats ?? 0n) <= wish.capMsats)
  if (offer) return { ok: true, offer }
  const cheapest = sorted.reduce<bigint | undefined>(
    (least, { announcement: { priceMsats } }) =>
      priceMsats !== undefined && (least === undefined || priceMsats < least) ? priceMsats : least,
    undefined,
  )
  return { ok: false, code: 'over-cap', says: overCap(cheapest ?? 0n, wish.capMsats) }
}
