/**
 * Who is there: announcements and heartbeats as they come, kept by one standing subscription, so that no question has to
 * ask for them first.
 * @module
 */
import { type Announcement, type Event, handler, heartbeat, jobKinds, offering, ofKinds } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { bounded } from '../bounded.ts'
import { type Clock, seconds } from '../clock.ts'
import type { ServedModel, ServingNode } from './session.ts'

export interface Standing {
  /** Resolves when the relays have told what they keep, or had their time. Never rejects. */
  readonly ready: Promise<void>
  /** The alive first, then by key. */
  nodes(): readonly ServingNode[]
  models(): readonly ServedModel[]
  close(): void
}

/** Services that are remembered, and keys whose heartbeats are. */
const most = 2_000
const readyMs = 5_000

interface Service {
  readonly pubkey: string
  readonly announcement: Announcement
  readonly at: number
}

/** Begins to listen. */
export function openStanding({ relays, clock }: { readonly relays: Relays; readonly clock: Clock }): Standing {
  const services = bounded<string, Service>(most)
  const order = new Set<string>()
  const beats = bounded<string, number>(most)
  const ready = Promise.withResolvers<void>()
  const stop = clock.after(readyMs, ready.resolve)

  function heard(event: Event) {
    if (event.kind === heartbeat.number) {
      const read = heartbeat.read(event)
      if (read.ok) beats.set(event.pubkey, Math.max(beats.get(event.pubkey) ?? 0, read.value.expiresAt))
      return
    }
    const read = handler.read(event)
    if (!read.ok) return
    const place = `${event.pubkey}:${read.value.id}`
    const known = services.get(place)
    if (known && known.at >= event.created_at) return
    services.set(place, { pubkey: event.pubkey, announcement: read.value, at: event.created_at })
    order.delete(place)
    order.add(place)
    if (order.size > 2 * most) for (const one of order) if (!services.has(one)) order.delete(one)
  }

  const filters = [
    ...jobKinds.map(({ request }) => offering(request.number, [handler.number], { limit: 500 })),
    ofKinds([heartbeat.number], { since: seconds(clock) - 900, limit: 500 }),
  ]
  const listening = relays.listen(filters, {
    onEvent: heard,
    onEose: () => {
      stop()
      ready.resolve()
    },
  })

  function nodes(): ServingNode[] {
    const now = seconds(clock)
    const all = [...order].flatMap(place => services.get(place) ?? [])
    return all
      .map(({ pubkey, announcement }) => ({ pubkey, announcement, alive: (beats.get(pubkey) ?? 0) > now }))
      .sort((a, b) => Number(b.alive) - Number(a.alive) || (a.pubkey < b.pubkey ? -1 : a.pubkey > b.pubkey ? 1 : 0))
  }

  return {
    ready: ready.promise,
    nodes,
    models: () => modelsOf(nodes()),
    close() {
      stop()
      ready.resolve()
      listening.close()
    },
  }
}

/** Every model that somebody alive serves, or that somebody serves where nobody is alive, by name. */
export function modelsOf(nodes: readonly ServingNode[]): ServedModel[] {
  const alive = nodes.filter(node => node.alive)
  const models = new Map<string, { kinds: Set<number>; contextTokens: number; nodes: ServedModel['nodes'][number][] }>()
  for (const { pubkey, announcement } of alive.length > 0 ? alive : nodes) {
    const { name, priceMsats } = announcement
    const served = announcement.kinds.filter(kind => jobKinds.some(({ request }) => request.number === kind))
    for (const offered of announcement.models) {
      const one = models.get(offered.name) ?? { kinds: new Set(), contextTokens: 0, nodes: [] }
      for (const kind of served) one.kinds.add(kind)
      one.contextTokens = Math.max(one.contextTokens, offered.contextTokens)
      if (!one.nodes.some(node => node.pubkey === pubkey))
        one.nodes.push({ pubkey, name, ...(priceMsats === undefined ? {} : { priceMsats }) })
      models.set(offered.name, one)
    }
  }
  return [...models]
    .map(([name, { kinds, ...rest }]) => ({ name, kinds: [...kinds].sort((a, b) => a - b), ...rest }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
