/**
 * A router that has worked for a while, everything that it and everybody else published, and relays made of any list of
 * events: what the tests of `gridstr verify` are made of.
 * @module
 */
import { type Event, type Kind, quoteRequest, type Routing, routing, type Template } from '../kinds/index.ts'
import { matches } from '../relays/embedded/matching.ts'
import type { Relays } from '../relays/relay.ts'
import { type Report, type VerifyOptions, verifyId } from '../src/cli/verifying/verify.ts'
import { openRouter, type RouterOptions } from '../src/router/router.ts'
import { openPolicy } from '../src/routing/index.ts'
import { bookWorld, type JobTwist, keys, pubOf, secretOf } from './router-book-world.ts'

export const routerName = 'a router that works'
export const routerKey = pubOf(routerName)

export interface ShelfOptions {
  /** Most events that it gives for one filter. */
  readonly most?: number
  /** False: the question is never said to be over. */
  readonly eose?: boolean
  /** What it sends whatever was asked. */
  readonly also?: (filters: readonly unknown[]) => Iterable<Event>
  readonly asked?: unknown[]
}

/** A relay that has these events and keeps all of them. */
export function shelf(events: readonly Event[], options: ShelfOptions = {}): Relays {
  const { most = 500, eose = true, also = () => [], asked } = options
  return {
    urls: ['ws://shelf'],
    publish: async () => ({ accepted: 0, enough: false, acks: [] }),
    listen(filters, { onEvent, onEose }) {
      const ends = new AbortController()
      asked?.push(filters)
      queueMicrotask(() => {
        const found = filters.flatMap(filter =>
          events
            .filter(event => matches([filter], event))
            .toSorted((a, b) => b.created_at - a.created_at)
            .slice(0, Math.min(most, filter.limit ?? most)),
        )
        for (const some of [also(filters), found])
          for (const event of some) {
            if (ends.signal.aborted) return
            onEvent(event, 'ws://shelf')
          }
        if (eose && !ends.signal.aborted) onEose?.()
      })
      return { live: Promise.resolve(), close: () => ends.abort() }
    },
    state: () => [],
    close: async () => {},
  }
}

export interface Tried {
  readonly report: Report
  readonly failed: readonly string[]
  readonly open: readonly string[]
  /** What a check says. */
  says(name: string): string
}

/** Verifies one event by what a shelf has. */
export async function tryOut(
  id: string,
  relays: Relays,
  options: Partial<VerifyOptions> & { readonly now: number },
): Promise<Tried> {
  const report = await verifyId(id, { relays, verify: keys.verify, signal: new AbortController().signal, ...options })
  if (!report) throw new Error('no relay has it')
  const names = (ok: boolean | null) => report.checks.filter(check => check.ok === ok).map(({ name }) => name)
  const says = (name: string) => report.checks.find(check => check.name === name)?.says ?? ''
  return { report, failed: names(false), open: names(null), says }
}

export type VerifyWorld = Awaited<ReturnType<typeof verifyWorld>>

/** Nodes a, b and c, customers, and a router that named and judged them. */
export async function verifyWorld(options: Partial<RouterOptions> = {}) {
  const world = await bookWorld()
  const { clock, hub, now } = world
  const everything = new Map<string, Event>()
  hub.watch(event => everything.set(event.id, event))
  const street = hub.connect()
  const router = openRouter({
    ...{ relays: hub.connect(), keys, secret: secretOf(routerName), clock, policy: openPolicy() },
    judging: { network: 'regtest', auditor: async () => 'passed' },
    ...options,
  })
  await clock.advance(1_000)
  const publish = async (...events: readonly Event[]) => {
    for (const event of events) void street.publish(event)
    await clock.advance(10)
  }
  const sign = (template: Template, by: string): Event => keys.sign(template, secretOf(by))

  async function announce(...names: readonly string[]) {
    for (const [at, name] of names.entries())
      await publish(world.announcement(name, { priceMsats: 10_000n + 1_000n * BigInt(at) }), world.state(name))
  }
  let asked = 0
  /** Asks the router, and gives its routing event. */
  async function ask(customer = 'customer', twist: Parameters<typeof world.asked>[1] = {}): Promise<Event> {
    const request = world.asked(customer, { to: [routerKey], maxTokens: ++asked, auctionMs: 250, ...twist })
    await publish(request)
    await clock.advance(3_000)
    const found = [...everything.values()].find(event => {
      const read = event.kind === routing.number && event.pubkey === routerKey ? routing.read(event) : undefined
      return read?.ok && read.value.request === request.id
    })
    if (!found) throw new Error('the router did not answer')
    return found
  }
  /** A routed job with all its papers; the first candidate serves it. */
  async function job(name: string, route: Event, twist: JobTwist = {}) {
    const read = routing.read(route)
    const first = read.ok ? read.value.candidates[0]?.node : undefined
    const node = ['a', 'b', 'c'].find(one => pubOf(one) === first) ?? 'a'
    const papers = world.job(name, { node, routing: route.id, ...twist })
    await publish(papers.request)
    await clock.advance(2_000)
    return papers
  }
  const by = <V>(kind: Kind<V>, author: string): { event: Event; value: V }[] =>
    [...everything.values()].flatMap(event => {
      const read = event.kind === kind.number && event.pubkey === author ? kind.read(event) : undefined
      return read?.ok ? [{ event, value: read.value }] : []
    })

  return {
    ...{ world, clock, now, router, publish, announce, ask, job, by, everything, sign },
    events: (): Event[] => [...everything.values()].filter(({ kind }) => kind !== quoteRequest.number),
    try: (id: string, relays?: Relays, more: Partial<VerifyOptions> = {}) =>
      tryOut(id, relays ?? shelf([...everything.values()]), { now: now(), ...more }),
    /** Lives a while: routes, jobs, labels, scores. */
    async live(jobs = 2) {
      await announce('a', 'b', 'c')
      for (let at = 0; at < jobs; at++) {
        const route = await ask(`customer ${at}`)
        const papers = await job(`job ${at}`, route, { customer: `customer ${at}` })
        await publish(papers.bill, papers.result, papers.usage, papers.ack, papers.zap)
        await clock.advance(20_000)
      }
      await clock.advance(90_000)
      await announce('a', 'b', 'c')
      await clock.advance(15_000)
      return ask('last customer')
    },
    close: async () => {
      await router.close()
      await world.book.close()
    },
  }
}

/** A routing event with other words, signed by the router again. */
export function reworded(event: Event, change: (said: Routing) => Partial<Routing>, at = event.created_at): Event {
  const read = routing.read(event)
  if (!read.ok) throw new Error(read.says)
  return keys.sign(routing.write({ ...read.value, ...change(read.value) }, at), secretOf(routerName))
}

/** Instead of one event another one. */
export const instead = (events: readonly Event[], old: Event, fresh: Event): Event[] => [
  ...events.filter(({ id }) => id !== old.id),
  fresh,
]
