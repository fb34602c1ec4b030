/**
 * A double of a router: honest in a few lines, and told to lie, to be silent or to want money.
 * @module
 */
import {
  type Event,
  feedback,
  handler,
  present,
  type QuoteRequest,
  quoteRequest,
  type Routing,
  routing,
  type Template,
} from '../kinds/index.ts'
import { query } from '../relays/relay.ts'
import { seconds } from '../src/clock.ts'
import { sha256Hex } from '../src/hash.ts'
import { defaultParams, paramsHash } from '../src/ledger/index.ts'
import type { Bill } from '../src/payments/payment.ts'
import type { SimNet, SimWallet } from '../src/payments/sim.ts'
import { decide, openDice, openMarket, openPolicy } from '../src/routing/index.ts'
import { wantsOf } from '../src/routing/wants.ts'
import type { World } from './worlds.ts'

export interface RouterOptions {
  /** Places of the nodes in the order that its dice shall give; seeds are thrown away until they do. */
  readonly order?: readonly number[]
  /** Nodes that it knows. Default: all. */
  readonly knows?: readonly number[]
  /** `silent` answers nothing; `refuses` says this code. */
  readonly says?: 'routes' | 'silent' | { readonly refuses: string }
  readonly feeMsats?: bigint
  /** What is told of each node's speed. */
  readonly speed?: { readonly firstMs?: number; readonly p95FirstMs?: number }
  /** A lie: changes what is said before it is signed. */
  lie?(said: Routing): Routing
}

export interface FakeRouter {
  readonly pubkey: string
  readonly asked: QuoteRequest[]
  readonly payee: SimWallet
  /** From now on it hears nothing. */
  close(): void
}

/** An honest router in a few lines, which can be told to lie. */
export async function fakeRouter(
  world: World,
  net: SimNet,
  nodes: readonly { readonly pubkey: string }[],
  options: RouterOptions,
): Promise<FakeRouter> {
  const { keys, clock } = world
  const secret = keys.newSecret()
  const pubkey = keys.publicKey(secret)
  const relays = world.connect(secret)
  const payee = net.wallet({ alias: 'router', msats: 0n })
  const asked: QuoteRequest[] = []
  const knows = options.knows ?? nodes.map((_, at) => at)
  const seq = 0
  const send = (template: Template) => relays.publish(keys.sign(template, secret), { want: 1 })

  async function answer(event: Event, request: QuoteRequest) {
    const keysKnown = knows.map(at => nodes[at]?.pubkey ?? '')
    const announced = await query(relays, [{ kinds: [handler.number], authors: keysKnown }])
    const market = openMarket()
    const found = new Map<
      string,
      { id: string; service: string; terms: Routing['candidates'][number]['terms']; msats: bigint }
    >()
    const factors = { R: 1, V: 0.5, Q: 1, T: 1, K: 1, L: 1 }
    for (const one of announced) {
      const read = handler.read(one)
      if (!read.ok) continue
      const { id: service, priceMsats: msats = 0n, terms = [] } = read.value
      found.set(one.pubkey, { id: one.id, service, terms, msats })
      market.set({
        ...{ node: one.pubkey, service, msats: Number(msats), score: 0.5, factors, stage: 'proven', status: 'alive' },
        ...{ inflight: 0, slots: 8, privacy: [0, 1], terms },
      })
    }
    const policy = openPolicy()
    const wanted = options.order?.map(at => nodes[at]?.pubkey)
    let seed = sha256Hex(keys.newSecret())
    const draw = () => decide(market, wantsOf(request, seconds(clock)), policy, openDice(seed, event.id), defaultParams)
    let decision = draw()
    for (let i = 0; wanted && decision.order.length > 0 && i < 5_000; i++) {
      if (wanted.every((node, at) => decision.order[at] === node)) break
      seed = sha256Hex(keys.newSecret())
      decision = draw()
    }
    const refusal = typeof options.says === 'object' ? { code: options.says.refuses, says: 'no' } : decision.refusal
    const named = refusal ? [] : decision.order
    const value: Routing = present({
      ...{ request: event.id, to: event.pubkey, asked: event, policy: 'default', params: paramsHash(defaultParams) },
      ...{ lane: decision.lane, at: seconds(clock), seq, prev: seq === 0 ? '' : sha256Hex('before'), seed },
      ...{
        commit: sha256Hex(seed),
        median: decision.median,
        start: decision.start,
        sample: refusal ? [] : decision.sample,
      },
      candidates: named.flatMap(node => {
        const one = found.get(node)
        return one
          ? [
              {
                ...{ node, service: one.service, msats: one.msats, terms: one.terms, score: 0.5, factors },
                ...{ stage: 'proven', log: -1, announcement: one.id, firm: false, reasons: ['drawn'] },
                ...options.speed,
              },
            ]
          : []
      }),
      refused: { ...decision.refused },
      refusal: refusal && { code: refusal.code, says: refusal.says },
      via: [],
    })
    await send(routing.write(options.lie ? options.lie(value) : value, seconds(clock)))
  }

  const billed = new Map<string, Bill>()
  async function onRequest(event: Event) {
    const read = quoteRequest.read(event)
    if (!read.ok || !read.value.to.includes(pubkey)) return
    asked.push(read.value)
    if (options.says === 'silent') return
    const { feeMsats = 0n } = options
    if (feeMsats === 0n) return answer(event, read.value)
    const bill = await payee.bill({ key: event.id, msats: feeMsats, expirySeconds: 60, description: 'fee' })
    billed.set(event.id, bill)
    payee.watch(bill.hash, () => void answer(event, read.value))
    const about = { job: event.id, customer: event.pubkey, says: '', content: '' }
    const bolt11 = bill.bolt11
    await send(feedback.write({ ...about, status: 'payment-required', msats: feeMsats, bolt11 }, seconds(clock)))
    return undefined
  }

  const listening = relays.listen([{ kinds: [quoteRequest.number], '#p': [pubkey] }], {
    onEvent: event => void onRequest(event),
  })
  await listening.live
  return { pubkey, asked, payee, close: () => listening.close() }
}
