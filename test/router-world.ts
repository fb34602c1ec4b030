/**
 * Routers, nodes that answer to order and customers on one relay in memory, with a clock in hand.
 */
import {
  addressedTo,
  type Event,
  handler,
  heartbeat,
  type NodeState,
  nodeState,
  type Offered,
  priceSheet,
  type QuoteRequest,
  quote,
  quoteRequest,
  type Routing,
  routing,
} from '../kinds/index.ts'
import { memoryHub } from '../relays/memory.ts'
import type { Relays } from '../relays/relay.ts'
import { handClock, seconds } from '../src/clock.ts'
import type { Journal } from '../src/journal/journal.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { openKeys } from '../src/keys.ts'
import { defaultParams, paramsHash, type TrackFact } from '../src/ledger/index.ts'
import { openAgreement } from '../src/router/agreement.ts'
import { openRouter, type Router, type RouterEvent, type RouterOptions } from '../src/router/router.ts'
import { openPolicy } from '../src/routing/index.ts'
import { type DoubleBook, doubleBook } from './router-double.ts'
import { doorOf } from './worlds.ts'

export interface TestRouter extends Router {
  readonly book: DoubleBook
  readonly events: RouterEvent[]
  readonly journal: Journal
  readonly secret: Uint8Array
}

export interface TestNode {
  readonly pubkey: string
  readonly asked: Event[]
  announce(msats: bigint): Promise<void>
  /** Signs and publishes as this node. */
  quote(request: Event, value?: Partial<Offered>): Event
  state(slots: NodeState['slots']): Promise<void>
}

export interface Asker {
  readonly pubkey: string
  readonly secret: Uint8Array
  request(router: string | undefined, value?: Partial<QuoteRequest>): Event
  /** Publishes a request, lets time pass, and gives what came back. */
  ask(router: string | undefined, value?: Partial<QuoteRequest>, waitMs?: number): Promise<Routing | undefined>
  answers(request?: string): Event[]
}

export type RouterWorld = Awaited<ReturnType<typeof routerWorld>>

export async function routerWorld() {
  const clock = handClock()
  const keys = await openKeys()
  const hub = memoryHub({ clock, verify: event => keys.verify(event) })
  const seen: Event[] = []
  hub.watch(event => seen.push(event))
  const open: (() => Promise<void>)[] = []
  let next = 1
  const connect = (): Relays => {
    const relays = hub.connect({ admit: doorOf(keys, clock) })
    open.push(() => relays.close())
    return relays
  }
  const secretOf = () => new Uint8Array(32).fill(next++)
  const now = () => seconds(clock)
  const policy = openPolicy()

  async function router(
    parts: Partial<RouterOptions> & { hears?: (event: Event) => boolean } = {},
  ): Promise<TestRouter> {
    const { hears = () => true, ...options } = parts
    const secret = options.secret ?? secretOf()
    const journal = options.journal ?? memoryJournal()
    const events: RouterEvent[] = []
    let book: DoubleBook | undefined
    const one = openRouter({
      ...{
        relays: connect(),
        keys,
        clock,
        policy: policy as RouterOptions['policy'],
        onEvent: event => events.push(event),
      },
      openBook(opening) {
        const double = doubleBook(opening)
        book = { ...double, heard: event => (hears(event) ? double.heard(event) : undefined) }
        return book
      },
      ...options,
      ...{ secret, journal },
    })
    open.push(() => one.close())
    await clock.advance(10)
    await one.ready
    if (!book) throw new Error('no book was opened')
    return { ...one, book, events, journal, secret, underWay: () => one.underWay() }
  }

  async function node(
    options: {
      msats?: bigint
      model?: string
      /** How it answers a request for quotes; `undefined`: not at all. */
      bids?: (request: Event, self: TestNode) => Partial<Offered> | undefined
      delayMs?: number
      alive?: boolean
    } = {},
  ): Promise<TestNode> {
    const { msats = 2_000n, model = 'echo', bids, delayMs = 0 } = options
    const secret = secretOf()
    const pubkey = keys.publicKey(secret)
    const relays = connect()
    const asked: Event[] = []
    const announce = async (priceMsats: bigint) => {
      const announcement = {
        ...{ id: 'test', kinds: [5050], topics: [], name: 'test', about: '', encrypted: true, priceMsats },
        ...{
          models: [{ name: model, contextTokens: 0 }],
          nodeKeys: [],
          zappers: [],
          custodial: false,
          relays: [],
          v: 1,
        },
      }
      await relays.publish(keys.sign(handler.write(announcement, now()), secret))
    }
    await announce(msats)
    const beat = { service: 'test', status: 'ready', expiresAt: now() + 300, text: '' }
    if (options.alive !== false) await relays.publish(keys.sign(heartbeat.write(beat, now()), secret))
    const self: TestNode = {
      ...{ pubkey, asked, announce },
      quote(request, value = {}) {
        const offered: Offered = {
          ...{ request: request.id, to: request.pubkey, kind: 5050, model, msats, firm: true, reserve: 'soft' },
          ...{ terms: ['before'], free: 1, expiresAt: now() + 60 },
          ...value,
        }
        const event = keys.sign(quote.write(offered, now()), secret)
        void relays.publish(event)
        return event
      },
      async state(slots) {
        const value = { service: 'test', kinds: [5050], slots, generation: now(), expiresAt: now() + 300 }
        const prices = [{ kind: 5050, model: '', msats, unit: 'job' as const }]
        await relays.publish(keys.sign(nodeState.write({ ...value, prices }, now()), secret))
        await clock.advance(10)
      },
    }
    relays.listen([addressedTo([pubkey], [quoteRequest.number])], {
      onEvent(request) {
        asked.push(request)
        const bid = bids?.(request, self)
        if (bid) clock.after(delayMs, () => self.quote(request, bid))
      },
    })
    await clock.advance(10)
    return self
  }

  function asker(): Asker {
    const secret = secretOf()
    const pubkey = keys.publicKey(secret)
    const relays = connect()
    const answers: Event[] = []
    let asked = 0
    relays.listen([addressedTo([pubkey], [routing.number, 7000])], { onEvent: event => answers.push(event) })
    const request = (router: string | undefined, value: Partial<QuoteRequest> = {}): Event =>
      keys.sign(
        quoteRequest.write(
          {
            ...{ kind: 5050, privacy: 0, allow: [], deny: [], auctionMs: 300, hops: 0, relays: [] },
            ...{ to: router === undefined ? [] : [router], expiresAt: now() + 50 },
            // Two requests of one second are two.
            ...{ maxTokens: ++asked },
            ...value,
          },
          now(),
        ),
        secret,
      )
    return {
      pubkey,
      secret,
      request,
      answers: id =>
        answers.filter(event => id === undefined || event.tags.some(tag => tag[0] === 'e' && tag[1] === id)),
      async ask(router, value, waitMs = 2_000) {
        const event = request(router, value)
        await clock.advance(10)
        void relays.publish(event)
        await clock.advance(waitMs)
        const found = answers.find(one => one.kind === routing.number && one.tags.some(tag => tag[1] === event.id))
        const read = found && routing.read(found)
        return read?.ok ? read.value : undefined
      },
    }
  }

  /** A sheet by hand, for the book that writes sheets is not in this world. */
  async function sheet(of: TestRouter, nodes: number, feeMsats = 0n) {
    const row = { kind: 5050, model: '', unit: 'job' as const, lowMsats: 1n, medianMsats: 1n, highMsats: 1n }
    const { seq, commit: hash } = of.book.position()
    const value = {
      ...{
        id: 'gridstr',
        rows: [{ ...row, nodes, surge: 1_000 }],
        feeMsats,
        policy: 'default',
        params: paramsHash(defaultParams),
      },
      ...{ commit: { seq, hash }, service: of.pubkey, relays: [], expiresAt: now() + 600 },
    }
    await connect().publish(keys.sign(priceSheet.write(value, now()), of.secret))
    await clock.advance(10)
  }

  const agrees = openAgreement(defaultParams)

  return {
    ...{ clock, keys, seen, connect, router, node, asker, sheet, now, secretOf, hub },
    /** What every published routing event must hold. */
    agrees(one: Routing): boolean {
      const asked = one.asked && keys.verify(one.asked) ? quoteRequest.read(one.asked) : undefined
      return asked?.ok === true && agrees(one, asked.value)
    },
    routings: (): Routing[] =>
      [...new Map(seen.map(event => [event.id, event])).values()].flatMap(event => {
        const read = event.kind === routing.number ? routing.read(event) : undefined
        return read?.ok ? [read.value] : []
      }),
    /** Enough of a record to be proven. */
    proven: (at: number): TrackFact[] =>
      Array.from({ length: 25 }, (_, index): TrackFact[] => [
        { fact: 'served', at: at - 100 + index, weight: 1, firstMs: 100, perTokenMs: 10 },
        { fact: 'audit', at: at - 100 + index, passed: true },
      ]).flat(),
    async close() {
      for (const end of open.toReversed()) await end()
    },
  }
}
