/**
 * The desk: takes requests for quotes, says no at once where the conditions of payment cannot hold, lets nodes bid, and
 * answers each request once, by one entry of the chain.
 * @module
 */
import { type Event, feedback, quoteRequest, routing } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { type Clock, seconds } from '../clock.ts'
import { openBuckets } from '../intake/buckets.ts'
import type { Journal } from '../journal/journal.ts'
import type { Keys } from '../keys.ts'
import type { Bill } from '../payments/payment.ts'
import type { Auctions } from './auction.ts'
import type { Book } from './book-contract.ts'
import { type Deciding, type Matter, mostCandidates, type Ruling } from './deciding.ts'
import { type Fees, UnpaidError } from './fee.ts'
import type { Load } from './load.ts'
import { type FromPeers, nobodyElse, type Peers } from './peers.ts'
import { openRemembered } from './remembered.ts'
import { seedOf } from './seeds.ts'
import { auctionOf } from './wants.ts'

export interface DeskLimits {
  /** Requests under way, of all and of one customer. */
  readonly underWay: number
  readonly perCustomer: number
  /** Refusals to one customer, and answers to all. Beyond it there is silence. */
  readonly refusalsPerMinute: number
  readonly answersPerMinute: number
  /** Nodes that are asked for a quote. */
  readonly asked: number
  /** Milliseconds that each hop of other routers may take beside its auction. */
  readonly hopMs: number
}

export interface DeskOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly secret: Uint8Array
  readonly clock: Clock
  readonly journal: Journal
  readonly book: Book
  readonly deciding: Deciding
  readonly auctions: Auctions
  readonly fees: Fees
  readonly peers: Peers
  readonly load: Load
  readonly limits: DeskLimits
  tell(event: DeskEvent): void
}

/** What happened to one request. */
export type DeskEvent =
  | {
      readonly event: 'request'
      readonly request: string
      readonly asker: string
      readonly kind: number
      readonly model?: string
    }
  | {
      readonly event: 'routing'
      readonly id: string
      readonly request: string
      readonly asker: string
      readonly kind: number
      /** Public keys, best first. */
      readonly candidates: readonly string[]
      readonly refusal?: { readonly code: string; readonly says: string }
      readonly ms: number
    }
  | {
      readonly event: 'invoice'
      readonly id: string
      readonly request: string
      readonly asker: string
      readonly msats: bigint
    }
  | { readonly event: 'trouble'; readonly request: string; readonly says: string }

export interface Desk {
  /** A request for quotes that is meant for us, signature verified. */
  take(event: Event): void
  /** Goes on with what an earlier process had begun. */
  resume(): void
  /** Requests that are not answered yet. */
  underWay(): number
  close(): void
}

interface One extends Matter {
  readonly beganMs: number
  readonly signal: AbortSignal
}

/** Codes that mean that nobody has room here: others may. */
const saturated: ReadonlySet<string> = new Set(['full', 'no-node', 'no-model', 'stale'])
const leastBillSeconds = 60
const mostBillSeconds = 300
const keepMs = 60_000
/** What a refusal before any choice leaves of a decision: its dice, and nobody. */
const nothing = { lane: 'bootstrap', sample: [], candidates: [], refused: {}, median: 0 } as const

/** Nothing is said, for a reason that is nobody's fault. */
class Silence extends Error {
  override readonly name = 'Silence'
}

export function openDesk(options: DeskOptions): Desk {
  const { relays, keys, secret, clock, book, deciding, auctions, fees, peers, load, limits, tell } = options
  const me = keys.publicKey(secret)
  const { journal } = options
  const remembered = openRemembered(journal, clock)
  const underWay = new Map<string, string>()
  const closing = new AbortController()
  const now = () => seconds(clock)
  const refusals = openBuckets(limits.refusalsPerMinute, Math.max(3, limits.refusalsPerMinute / 4), 10_000, () =>
    clock.now(),
  )
  const answers = openBuckets(limits.answersPerMinute, Math.max(10, limits.answersPerMinute / 4), 1, () => clock.now())

  function take(event: Event) {
    if (closing.signal.aborted || event.pubkey === me) return
    if (underWay.has(event.id) || remembered.isAnswered(event.id)) return
    begin(event, false)
  }

  function begin(asked: Event, again: boolean) {
    const read = quoteRequest.read(asked)
    if (!read.ok || read.value.expiresAt <= now()) return remembered.forget(asked.id)
    const { origin } = read.value
    // Whoever brings back what was passed on here, or asks here twice by two ways, gets no second answer.
    if (origin !== undefined && (peers.passed(origin) || underWay.has(origin) || remembered.isAnswered(origin))) return
    const ends = new AbortController()
    const stop = clock.after(read.value.expiresAt * 1_000 - clock.now(), () => ends.abort())
    const signal = AbortSignal.any([ends.signal, closing.signal])
    const one: One = { asked, request: read.value, quotes: [], beganMs: clock.now(), signal }
    const room = again ? undefined : noRoomFor(asked.pubkey)
    if (room === undefined) {
      underWay.set(asked.id, asked.pubkey)
      const { kind, model } = read.value
      tell({
        event: 'request',
        request: asked.id,
        asker: asked.pubkey,
        kind,
        ...(model === undefined ? {} : { model }),
      })
    }
    const work = room === undefined ? serve(one) : refuse(one, 'full', room)
    const trouble = (error: unknown) => {
      if (!signal.aborted) tell({ event: 'trouble', request: asked.id, says: String(error) })
    }
    void work.catch(trouble).finally(() => {
      stop()
      underWay.delete(asked.id)
      // What a closed router had begun is begun again by the next one.
      if (!closing.signal.aborted) remembered.forget(asked.id)
    })
  }

  function noRoomFor(asker: string): string | undefined {
    if (underWay.size >= limits.underWay) return 'This router has all the requests it can take: try again in a moment.'
    let mine = 0
    for (const one of underWay.values()) if (one === asker) mine++
    return mine >= limits.perCustomer ? `You have ${mine} requests under way here: wait for one of them.` : undefined
  }

  async function serve(one: One) {
    const { asked, request, signal } = one
    const before = fees.standing(asked.pubkey)
    if (before.how === 'unpaid') return refuse(one, 'unpaid-fee', before.says)
    const first = deciding.look(one, seedOf(secret, book.position().seq), now())
    let others = nobodyElse
    if (first.refusal) {
      if (saturated.has(first.refusal.code) && request.hops > 0) {
        remembered.begin(asked)
        others = await peers.ask(request, asked, (auctionOf(request) + limits.hopMs) * request.hops, signal)
      }
      if (others.candidates.length === 0) return answer(one, others)
    }
    if (before.how === 'first' && !(await paysFirst(one))) return undefined
    if (first.refusal) return answer(one, others)
    const ms = auctionOf(request)
    if (ms === 0) return answer(one, others)
    const nodes = [...new Set([...first.order, ...first.sample.map(({ node }) => node)])].slice(0, limits.asked)
    remembered.begin(asked)
    const quotes = await auctions.hold(request, request.origin ?? asked.id, nodes, ms, signal)
    return answer({ ...one, quotes }, others)
  }

  /** Bills a stranger and waits for the money for as long as the request lives; what comes later is kept for the next one. */
  async function paysFirst({ asked, request, signal }: One): Promise<boolean> {
    remembered.begin(asked)
    let bill: Bill
    try {
      const life = Math.min(mostBillSeconds, Math.max(leastBillSeconds, request.expiresAt - now()))
      bill = await fees.bill(asked, 'first', life)
    } catch (error) {
      tell({ event: 'trouble', request: asked.id, says: `The fee cannot be billed: ${String(error)}` })
      return false
    }
    if (signal.aborted) return false
    const { bolt11, hash: paymentHash, msats, expiresAt } = bill
    const says = `Pay ${msats} msats to the router for naming nodes. The job itself is paid to the node.`
    const value = { job: asked.id, customer: asked.pubkey, status: 'payment-required', says, content: '' } as const
    const event = keys.sign(feedback.write({ ...value, msats, bolt11, paymentHash, expiresAt }, now()), secret)
    void relays.publish(event, { want: 1, keepMs })
    tell({ event: 'invoice', id: event.id, request: asked.id, asker: asked.pubkey, msats })
    return fees.paid(asked.pubkey, signal)
  }

  async function answer(one: One, others: FromPeers): Promise<void> {
    const { asked, signal } = one
    if (signal.aborted) return
    let bill: Bill | undefined
    if (fees.standing(asked.pubkey).how === 'line')
      bill = await fees.bill(asked, 'line', mostBillSeconds).catch(error => {
        tell({ event: 'trouble', request: asked.id, says: `The fee cannot be billed: ${String(error)}` })
        return undefined
      })
    try {
      await say(one, ruling => withPeers(ruling, others), bill)
    } catch (error) {
      if (!(error instanceof UnpaidError)) throw error
      await refuse(one, 'unpaid-fee', 'The fee of this request is not paid.')
    }
  }

  const refuse = (one: One, code: string, says: string) =>
    say(one, ruling => ({ ...ruling, ...nothing, refusal: { code, says } }))

  /** Writes and publishes the one answer to a request; nothing where nobody waits for it or too much was said already. */
  async function say(one: One, change: (ruling: Ruling) => Ruling & { via?: readonly string[] }, bill?: Bill) {
    const { asked, request, signal, beganMs } = one
    if (signal.aborted) return
    let said: Ruling | undefined
    let how: 'kept' | 'line' | undefined
    let event: Event
    try {
      event = await book.append(place => {
        const ruling = change(deciding.rule(one, place, now()))
        const { refusal } = ruling
        if (signal.aborted || remembered.isAnswered(asked.id) || !answers.has('all')) throw new Silence()
        if (refusal && !refusals.has(asked.pubkey)) throw new Silence()
        if (!refusal && fees.msats > 0n) how = fees.use(asked, bill)
        const bolt11 = how === 'line' ? bill?.bolt11 : undefined
        const fee = how ? { fee: { msats: fees.msats, ...(bolt11 === undefined ? {} : { bolt11 }) } } : {}
        const template = routing.write({ via: [], ...ruling, ...fee }, now())
        remembered.answered(asked.id)
        answers.take('all')
        if (refusal) refusals.take(asked.pubkey)
        said = ruling
        return template
      })
    } catch (error) {
      if (said) remembered.unanswered(asked.id)
      if (error instanceof Silence) return
      throw error
    }
    if (how === 'line' && bill) fees.watch(bill)
    if (!said) return
    const candidates = said.candidates.map(({ node }) => node)
    const [first] = candidates
    if (first !== undefined) load.named(first)
    const told = { request: asked.id, asker: asked.pubkey, kind: request.kind, candidates, ms: clock.now() - beganMs }
    tell({ event: 'routing', id: event.id, ...told, ...(said.refusal ? { refusal: said.refusal } : {}) })
  }

  return {
    take,
    resume() {
      for (const event of remembered.open()) if (!underWay.has(event.id)) begin(event, true)
    },
    underWay: () => underWay.size,
    close() {
      closing.abort()
      remembered.close()
    },
  }
}

/** Own candidates first, then those of other routers. */
function withPeers(ruling: Ruling, { candidates: theirs, via }: FromPeers): Ruling & { via: readonly string[] } {
  const own = ruling.candidates
  const known = new Set(own.map(({ node }) => node))
  const candidates = [...own, ...theirs.filter(({ node }) => !known.has(node))].slice(0, mostCandidates)
  if (candidates.length === own.length) return { ...ruling, via: [] }
  const { refusal: _, ...rest } = ruling
  return { ...rest, candidates, via }
}
