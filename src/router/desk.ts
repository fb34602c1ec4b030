/**
 * The desk: takes requests for quotes, says no at once where the conditions of payment cannot hold, lets nodes bid or other
 * routers help, and has each request answered once.
 * @module
 */
import { type Event, quoteRequest } from '../../kinds/index.ts'
import { seconds } from '../clock.ts'
import type { Journal } from '../journal/journal.ts'
import { type AnsweringOptions, type One, openAnswering } from './answering.ts'
import type { Auctions } from './auction.ts'
import { nobodyElse, type Peers } from './peers.ts'
import { openRemembered } from './remembered.ts'
import { seedOf } from './seeds.ts'
import { auctionOf } from './wants.ts'

export type { DeskEvent } from './desk-events.ts'

export interface DeskLimits {
  /** Requests under way, of all and of one customer. */
  readonly underWay: number
  readonly perCustomer: number
  /** Refusals to one customer, and answers and bills to all. Beyond it there is silence. */
  readonly refusalsPerMinute: number
  readonly answersPerMinute: number
  /** Nodes that are asked for a quote. */
  readonly asked: number
  /** Milliseconds that each hop of other routers may take beside its auction. */
  readonly hopMs: number
}

export interface DeskOptions extends Omit<AnsweringOptions, 'remembered' | 'refusalsPerMinute' | 'answersPerMinute'> {
  readonly journal: Journal
  readonly auctions: Auctions
  readonly peers: Peers
  readonly limits: DeskLimits
}

export interface Desk {
  /** A request for quotes that is meant for us, signature verified. */
  take(event: Event): void
  /** Goes on with what an earlier process had begun. */
  resume(): void
  /** Requests that are not answered yet. */
  underWay(): number
  close(): void
}

/** Codes that mean that nobody has room here: others may. */
const saturated: ReadonlySet<string> = new Set(['full', 'no-node', 'no-model', 'stale'])
/** However long a request says that it waits, so long it may take a place here. */
const longestMs = 300_000

export function openDesk(options: DeskOptions): Desk {
  const { keys, secret, clock, book, deciding, auctions, fees, peers, limits, tell } = options
  const me = keys.publicKey(secret)
  const remembered = openRemembered(options.journal, clock)
  const { refusalsPerMinute, answersPerMinute } = limits
  const { answer, refuse, paysFirst } = openAnswering({ ...options, remembered, refusalsPerMinute, answersPerMinute })
  /** Who asked, by request. */
  const underWay = new Map<string, string>()
  const closing = new AbortController()

  function take(event: Event) {
    if (closing.signal.aborted || event.pubkey === me) return
    if (underWay.has(event.id) || remembered.isAnswered(event.id)) return
    begin(event, false)
  }

  function begin(asked: Event, again: boolean) {
    const read = quoteRequest.read(asked)
    if (!read.ok || read.value.expiresAt <= seconds(clock)) return remembered.forget(asked.id)
    const { origin } = read.value
    // Whoever brings back what was passed on here, or asks here twice by two ways, gets no second answer.
    if (origin !== undefined && (peers.passed(origin) || underWay.has(origin) || remembered.isAnswered(origin))) return
    const ends = new AbortController()
    const lifeMs = Math.min(longestMs, read.value.expiresAt * 1_000 - clock.now())
    const stop = clock.after(lifeMs, () => ends.abort())
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
    if (before.how === 'unpaid') return refuse(one, before.code, before.says)
    const first = deciding.look(one, seedOf(secret, book.position().seq), seconds(clock))
    let others = nobodyElse
    if (first.refusal) {
      if (saturated.has(first.refusal.code) && request.hops > 0) {
        remembered.begin(asked)
        others = await peers.ask(request, asked, (auctionOf(request) + limits.hopMs) * request.hops, signal)
      }
      if (others.candidates.length === 0) return answer(one, others, 'refusal')
    }
    if (before.how === 'first' && !(await paysFirst(one))) return undefined
    if (first.refusal) return answer(one, others)
    const ms = auctionOf(request)
    if (ms === 0) return answer(one)
    const nodes = [...new Set([...first.order, ...first.sample.map(({ node }) => node)])].slice(0, limits.asked)
    remembered.begin(asked)
    const quotes = await auctions.hold(request, request.origin ?? asked.id, nodes, ms, signal)
    return answer({ ...one, quotes })
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
