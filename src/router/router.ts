/**
 * The router: hears the market, keeps its book, and answers requests for quotes. It is in nobody's data path and holds
 * nobody's money; what it says can be made again from what it published.
 * @module
 */
import { addressees, type Event, priceSheet, quote, quoteRequest, routing } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import type { Clock } from '../clock.ts'
import type { Journal } from '../journal/journal.ts'
import { memoryJournal } from '../journal/memory.ts'
import type { Keys } from '../keys.ts'
import { defaultParams, type Params } from '../ledger/index.ts'
import type { Policy } from '../routing/policy.ts'
import { openAgreement } from './agreement.ts'
import { openAuctions } from './auction.ts'
import { type BookOptions, openBook } from './book.ts'
import type { Book } from './book-contract.ts'
import { openDeciding } from './deciding.ts'
import { type DeskEvent, type DeskLimits, openDesk } from './desk.ts'
import { type Fee, openFees } from './fee.ts'
import { openHearing } from './hearing.ts'
import { openLoad } from './load.ts'
import { openPeers } from './peers.ts'

export type { Fee } from './fee.ts'

/** What happened: an event was published (`id`), money came, or something is wrong. */
export type RouterEvent =
  | DeskEvent
  /** Nodes, or other routers, are asked. */
  | {
      readonly event: 'quotes' | 'forwarded'
      readonly id: string
      readonly request: string
      readonly asked: readonly string[]
    }
  | { readonly event: 'paid'; readonly request: string; readonly asker: string; readonly msats: bigint }
  /** The book published a label, scores, a price sheet, evidence that it found, a verdict on somebody's. */
  | {
      readonly event: 'attestation' | 'scores' | 'sheet' | 'evidence' | 'verdict'
      readonly id: string
      readonly says: string
    }

export interface RouterLimits extends DeskLimits {
  /** Requests of one customer that are read; a quarter of it at once. Beyond it there is silence. */
  readonly requestsPerMinute: number
  /** Events of one author and subscription. */
  readonly wordsPerMinute: number
  /** Unpaid fees, of one customer and of all. */
  readonly billsPerCustomer: number
  readonly bills: number
}

/** What the book is opened with. */
export interface BookOpening {
  readonly relays: Relays
  readonly keys: Keys
  readonly secret: Uint8Array
  readonly clock: Clock
  readonly journal: Journal
  readonly params: Params
  readonly policy: string
  readonly feeMsats: bigint
  tell(event: RouterEvent): void
}

export interface RouterOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly secret: Uint8Array
  readonly clock: Clock
  /** The chain, bills and requests under way. Default: in memory, lost with the process. */
  readonly journal?: Journal
  readonly policy: Policy
  readonly params?: Params
  /** What naming nodes costs, to the router's own wallet. Absent: nothing. */
  readonly fee?: Fee
  /** Routers that are asked first when nobody here has room. */
  readonly peers?: readonly string[]
  /** Also answers requests that name no router. Default false. */
  readonly open?: boolean
  readonly limits?: Partial<RouterLimits>
  /** Where the money of jobs is, who computes answers again and who tries newcomers. Default: mainnet, nobody. */
  readonly judging?: Partial<
    Pick<BookOptions, 'network' | 'auditor' | 'trier' | 'trials' | 'trusted' | 'stakeRef' | 'sampled'>
  >
  /** Another book. Default: one on the journal. */
  readonly openBook?: (opening: BookOpening) => Book
  onEvent?(event: RouterEvent): void
}

export interface Router {
  readonly pubkey: string
  readonly book: Book
  /** Resolves when everything is heard. */
  readonly ready: Promise<void>
  /** Requests that are not answered yet. */
  underWay(): number
  /** Other routers that are known. */
  peers(): readonly string[]
  /** Stops listening; entries under way are kept. Does not close relays, wallet or journal. */
  close(): Promise<void>
}

const defaults: RouterLimits = {
  ...{ underWay: 1_000, perCustomer: 16, refusalsPerMinute: 20, answersPerMinute: 3_000, asked: 8, hopMs: 1_000 },
  ...{ requestsPerMinute: 240, wordsPerMinute: 6_000, billsPerCustomer: 4, bills: 500 },
}

/** Opens a router on relays that stay the caller's. `secret` signs everything but the scores, and seeds the dice. */
export function openRouter(options: RouterOptions): Router {
  const { relays, keys, secret, clock, policy, params = defaultParams, fee, journal = memoryJournal() } = options
  const limits = { ...defaults, ...options.limits }
  const pubkey = keys.publicKey(secret)
  const tell = (event: RouterEvent) => options.onEvent?.(event)
  const side = { relays, keys, secret, clock }
  const opening = { ...side, journal, params, policy: policy.name, feeMsats: fee?.msats ?? 0n, tell }
  const book = options.openBook?.(opening) ?? openBook({ network: 'mainnet', ...options.judging, ...opening })
  const load = openLoad(clock)
  const asked = (event: 'quotes' | 'forwarded') => (question: Event) => {
    const read = quoteRequest.read(question)
    if (read.ok) tell({ event, id: question.id, request: read.value.origin ?? '', asked: addressees(question) })
  }
  const auctions = openAuctions({
    ...side,
    onTimed: (node, ms) => book.timed(node, ms),
    onAsked: asked('quotes'),
  })
  const peers = openPeers({
    ...side,
    named: options.peers ?? [],
    offends: key => book.offends(key),
    agrees: openAgreement(params),
    onAsked: asked('forwarded'),
  })
  const fees = openFees({
    ...{ fee, journal, clock, billsPerCustomer: limits.billsPerCustomer, bills: limits.bills },
    onPaid(paid) {
      book.paidFee(paid.asker)
      tell({ event: 'paid', ...paid })
    },
    onTrouble: says => tell({ event: 'trouble', request: '', says }),
  })
  const deciding = openDeciding({ book, policy, params, load })
  const desk = openDesk({ ...side, journal, book, deciding, auctions, fees, peers, load, limits, tell })
  const hearing = openHearing({
    ...{ relays, keys, clock, me: pubkey, open: options.open === true },
    ...{ requestsPerMinute: limits.requestsPerMinute, wordsPerMinute: limits.wordsPerMinute },
    isNode: node => book.directory.get(node) !== undefined,
    peers: peers.known,
    onRequest: event => desk.take(event),
    onPresent: () => desk.resume(),
    onEvent(event) {
      if (event.pubkey === pubkey) return
      book.heard(event)
      if (event.kind === quote.number) auctions.heard(event)
      else if (event.kind === routing.number) peers.heardRouting(event)
      else if (event.kind === priceSheet.number && peers.heardSheet(event)) hearing.peersChanged()
    },
  })
  return {
    pubkey,
    book,
    ready: hearing.live,
    underWay: desk.underWay,
    peers: peers.known,
    async close() {
      hearing.close()
      desk.close()
      fees.stop()
      await book.close()
    },
  }
}
