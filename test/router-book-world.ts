/**
 * A router's book on one relay in memory, with nodes, customers and a clock in hand.
 * @module
 */
import {
  type Acknowledgement,
  type Announcement,
  type Attestation,
  acknowledgement,
  attestation,
  type Event,
  feedback,
  handler,
  type NodeScore,
  type NodeState,
  nodeScore,
  nodeState,
  type PriceSheet,
  priceSheet,
  type QuoteRequest,
  quoteRequest,
  type Routing,
  routing,
  type Template,
  textRequest,
  textResult,
  type UsageReceipt,
  usageReceipt,
} from '../kinds/index.ts'
import { memoryHub } from '../relays/memory.ts'
import { type HandClock, handClock, seconds } from '../src/clock.ts'
import { fromHex, sha256Hex } from '../src/hash.ts'
import type { Journal } from '../src/journal/journal.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { openKeys } from '../src/keys.ts'
import { defaultParams, paramsHash } from '../src/ledger/index.ts'
import { nodeKeyOf, writeInvoice } from '../src/payments/bolt11.ts'
import { descriptionHashOf, receiptFor, zapRequestFor } from '../src/payments/zap.ts'
import { type BookEvent, type BookOptions, type OpenBook, openBook } from '../src/router/book.ts'

export const keys = await openKeys()
export const price = 21_000n
export const secretOf = (name: string): Uint8Array => fromHex(sha256Hex(name))
export const pubOf = (name: string): string => keys.publicKey(secretOf(name))
export const preimageOf = (name: string): string => sha256Hex(`preimage ${name}`)
export const hashOf = (name: string): string => sha256Hex(fromHex(preimageOf(name)))

/** A job with every paper that it may leave behind, all made at the same time. */
export interface Papers {
  readonly name: string
  readonly request: Event
  readonly bill: Event
  readonly result: Event
  readonly usage: Event
  readonly ack: Event
  readonly zap: Event
  readonly hash: string
}

export interface JobTwist {
  customer?: string
  node?: string
  routing?: string
  msats?: bigint
  verdict?: Acknowledgement['verdict']
  ack?: Partial<Acknowledgement>
  usage?: Partial<UsageReceipt>
  /** Another payment than the one of this name. */
  payment?: string
  lightning?: string
}

/** A journal that a killed process cannot write to any more, whatever of it still runs here. */
function mortal(journal: Journal, life: { readonly dead: boolean }): Journal {
  const alive = () => {
    if (life.dead) throw new Error('killed')
  }
  return {
    ...journal,
    shelf(name) {
      const shelf = journal.shelf(name)
      const guarded =
        <A extends unknown[], R>(act: (...args: A) => R) =>
        (...args: A): R => {
          alive()
          return act(...args)
        }
      return {
        ...{ get: shelf.get, entries: shelf.entries },
        ...{ set: guarded(shelf.set), claim: guarded(shelf.claim), delete: guarded(shelf.delete) },
        get size() {
          return shelf.size
        },
      }
    },
    atomically(write, weight) {
      alive()
      return journal.atomically(write, weight)
    },
  }
}

export type World = Awaited<ReturnType<typeof bookWorld>>

export async function bookWorld(
  options: Partial<BookOptions> & { clock?: HandClock; journal?: Journal; router?: string } = {},
) {
  const { clock = handClock(), journal = memoryJournal(), router = 'router' } = options
  const hub = memoryHub({ clock, verify: event => keys.verify(event) })
  const published: Event[] = []
  hub.watch(event => published.push(event))
  const told: BookEvent[] = []
  const secret = secretOf(router)
  const now = () => seconds(clock)
  const sign = (template: Template, by: string) => keys.sign(template, secretOf(by))
  let life = { dead: false }
  let relays = hub.connect()
  function open(more: Partial<BookOptions> = {}): OpenBook {
    const mine = { dead: false }
    life = mine
    relays = hub.connect()
    return openBook({
      ...{ relays, keys, secret, clock, policy: 'default', feeMsats: 0n, network: 'regtest' },
      ...options,
      ...more,
      journal: mortal(journal, mine),
      tell(event) {
        if (!mine.dead) told.push(event)
      },
    })
  }
  let book = open()

  const announcement = (name: string, twist: Partial<Announcement> = {}, priced = true): Event =>
    sign(
      handler.write(
        {
          ...{
            id: 'text',
            kinds: [textRequest.number],
            topics: [],
            name,
            about: '',
            encrypted: true,
          },
          ...(priced ? { priceMsats: price } : {}),
          ...{ models: [{ name: 'nano', contextTokens: 2_048 }], nodeKeys: [nodeKeyOf(secretOf(`${name} lightning`))] },
          ...{ zappers: [pubOf(name)], custodial: false, relays: [], v: 1 },
          ...twist,
        },
        now(),
      ),
      name,
    )
  const state = (name: string, twist: Partial<NodeState> = {}): Event =>
    sign(
      nodeState.write(
        {
          ...{ service: 'text', kinds: [textRequest.number], slots: { total: 4, busy: 0, queued: 0 }, prices: [] },
          ...{ generation: 1_700_000_000, expiresAt: now() + 180 },
          ...twist,
        },
        now(),
      ),
      name,
    )

  /** Announces nodes and says that they are alive. */
  function nodes(...names: string[]) {
    for (const name of names) for (const event of [announcement(name), state(name)]) book.heard(event)
  }

  const asked = (customer: string, twist: Partial<QuoteRequest> = {}): Event =>
    sign(
      quoteRequest.write(
        {
          ...{ kind: textRequest.number, model: 'nano', privacy: 0, allow: [], deny: [], auctionMs: 250 },
          ...{ to: [pubOf(router)], hops: 0, relays: [], expiresAt: now() + 60 },
          ...twist,
        },
        now(),
      ),
      customer,
    )

  /** A routing event of this router that sends a customer to some nodes. */
  function route(customer: string, names: readonly string[], twist: Partial<Routing> & { deadlineMs?: number } = {}) {
    const { deadlineMs, ...rest } = twist
    const request = asked(customer, deadlineMs === undefined ? {} : { deadlineMs })
    const factors = { R: 0, V: 0, Q: 0, T: 0, K: 1, L: 0.9 }
    return book.append(place =>
      routing.write(
        {
          ...{ request: request.id, to: request.pubkey, asked: request, policy: 'default' },
          ...{ params: paramsHash(defaultParams), lane: 'bootstrap', at: now(), median: 0, start: 0, sample: [] },
          candidates: names.map(name => ({
            ...{ node: pubOf(name), service: 'text', model: 'nano', msats: price, terms: [], score: 0, factors },
            ...{ stage: 'new', log: -1, announcement: sha256Hex(name), firm: false, reasons: [] },
          })),
          ...{ refused: {}, via: [] },
          ...place,
          ...rest,
        },
        now(),
      ),
    )
  }

  function job(name: string, twist: JobTwist = {}): Papers {
    const { customer = 'customer', node = 'node', msats = price, payment = name, verdict = 'ok' } = twist
    const at = now()
    const [hash, preimage] = [hashOf(payment), preimageOf(payment)]
    const request = sign(
      textRequest.write(
        {
          ...{
            inputs: [{ type: 'text', data: name }],
            relays: [],
            providers: [pubOf(node)],
            stream: false,
            receipt: true,
          },
          ...(twist.routing === undefined ? {} : { routing: twist.routing }),
        },
        at,
      ),
      customer,
    )
    const asked = zapRequestFor({ node: pubOf(node), job: request.id, msats, relays: ['wss://relay.example'] }, at)
    const json = JSON.stringify(sign(asked, customer))
    const bolt11 = writeInvoice(
      {
        ...{ network: 'regtest', msats, hash, secret: sha256Hex('s'), timestamp: at, expirySeconds: 600 },
        descriptionHash: descriptionHashOf(json),
      },
      secretOf(`${twist.lightning ?? node} lightning`),
    )
    const ids = { job: request.id, customer: request.pubkey }
    const bill = sign(
      feedback.write({ ...ids, status: 'payment-required', says: '', content: '', msats, bolt11 }, at),
      node,
    )
    const result = sign(textResult.write({ ...ids, text: name.toUpperCase() }, at), node)
    const metered: UsageReceipt = {
      ...{ ...ids, result: result.id, kind: request.kind, model: 'nano', msats, promptTokens: 6, outputTokens: 11 },
      ...{ firstMs: 100, ms: 1_100, payments: [{ hash, msats }], seq: 0 },
      ...twist.usage,
    }
    const usage = sign(usageReceipt.write(metered, at), node)
    const said: Acknowledgement = {
      ...{ job: request.id, node: pubOf(node), verdict, msats, payments: [{ hash, preimage }] },
      ...{ firstMs: 120, ms: 1_120, outputTokens: 11 },
      ...twist.ack,
    }
    const ack = sign(acknowledgement.write(said, at), customer)
    const zap = sign(receiptFor({ zapRequestJson: json, bolt11, preimage, paidAt: at }), node)
    return { name, request, bill, result, usage, ack, zap, hash }
  }

  /** Lets promises and timers have their turn. */
  const settle = (ms = 0) => clock.advance(ms)
  const read = <V>(kind: { number: number; read(event: Event): { ok: boolean } }, by: string): V[] => {
    const seen = new Set<string>()
    return published.flatMap(event => {
      if (event.kind !== kind.number || event.pubkey !== by || seen.has(event.id)) return []
      seen.add(event.id)
      const found = kind.read(event) as { ok: boolean; value?: V }
      return found.ok && found.value !== undefined ? [found.value] : []
    })
  }

  return {
    ...{ clock, hub, journal, published, told, now, sign, nodes, announcement, state, asked, route, job, settle, open },
    pubkey: pubOf(router),
    get book() {
      return book
    },
    /** Every event, in this order. */
    hear: (...events: readonly Event[]) => {
      for (const event of events) book.heard(event)
    },
    labels: () => read<Attestation>(attestation, pubOf(router)).toSorted((a, b) => a.seq - b.seq),
    scores: () => read<NodeScore>(nodeScore, book.service),
    sheets: () => read<PriceSheet>(priceSheet, pubOf(router)),
    routes: () => read<Routing>(routing, pubOf(router)),
    troubles: () => told.filter(one => one.event === 'trouble'),
    /** Ends the process and begins another one on the same journal. `kill`: without any farewell. */
    async restart(kill = false, more: Partial<BookOptions> = {}) {
      if (!kill) await book.close()
      life.dead = true
      await relays.close()
      book = open(more)
      return book
    },
  }
}
