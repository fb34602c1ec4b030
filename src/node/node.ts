/**
 * The node: hears jobs, bills, works, streams, delivers, and says that it is alive only while it hears itself.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import {
  addressedTo,
  creditClaim,
  feedback,
  jobIdOf,
  leftOfCredit,
  offering,
  type PostedPrice,
  present,
  quoteRequest,
} from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { aborted, type Clock, seconds } from '../clock.ts'
import { openIntake } from '../intake.ts'
import type { NodeJob } from '../job.ts'
import type { Journal } from '../journal/journal.ts'
import { memoryJournal } from '../journal/memory.ts'
import type { Keys } from '../keys.ts'
import type { Tariff } from '../ledger/index.ts'
import { openPayloads } from '../payload/index.ts'
import type { Network, Payee, Payer } from '../payments/payment.ts'
import type { Runner } from '../runners/runner.ts'
import { openSeal, wrapEvent } from '../seal.ts'
import { type Announcer, openAnnouncer, type ServiceFacts } from './announce.ts'
import { claimSpeed } from './claim.ts'
import { type Doors, openDoors } from './doors.ts'
import { openEscrowDesk } from './escrow.ts'
import { openHolder } from './holder.ts'
import { openInputs } from './inputs.ts'
import { type Jobs, openJobs } from './jobs.ts'
import type { LargeLimits } from './large-limits.ts'
import { defaultLimits, type NodeLimits } from './limits.ts'
import { openLoad } from './load.ts'
import type { NodeEvent } from './node-event.ts'
import { openPricing } from './pricing.ts'
import { defaultPrivacy } from './privacy.ts'
import { openQuotes } from './quotes.ts'
import { openRefunds } from './refunds.ts'
import { answeredBefore } from './request.ts'
import { openState } from './state.ts'
import { type NodeTerms, offered, termsOf } from './terms.ts'
import { openTips } from './tips.ts'
import { openUsage, type UsagePolicy } from './usage.ts'
import { openZaps } from './zaps.ts'

export type { NodeLimits } from './limits.ts'
export type { NodeEvent } from './node-event.ts'

export interface NodeOptions {
  readonly relays: Relays
  readonly keys: Keys
  /** The node's own Nostr key: one key per service. */
  readonly secret: Uint8Array
  readonly clock: Clock
  readonly runner: Runner
  /** Absent: the node works for nothing only. */
  readonly payee?: Payee
  /** Price of one job, shares of others included. 0 is free. */
  readonly priceMsats: bigint
  /**
   * Prices of tokens, beside `priceMsats` (which may be 0): billed for all that a job may take and its bid buys, and what
   * was not taken is kept for the customer. Not with splits or surge.
   */
  readonly tariff?: Tariff
  readonly service: ServiceFacts
  /** Pay before the work (default), or after it for customers within their credit line, whatever they wished. */
  readonly when?: 'before' | 'after'
  /** Terms that customers may wish for beside `before`. Default: parts, and hold and escrow where the wallet can hold. */
  readonly terms?: Partial<Pick<NodeTerms, 'after' | 'parts' | 'hold' | 'escrow'>>
  /** What the node promised, said, billed and keeps. Default: in memory, lost with the process. */
  readonly journal?: Journal
  /** Pays kept money back to customers who claim it. Default: it only pays for their next job. */
  readonly refunder?: { readonly payer: Payer; network(): Promise<Network | undefined> }
  /** Also takes jobs that name no provider. Default false. */
  readonly open?: boolean
  readonly limits?: Partial<NodeLimits>
  /** Bounds of what is fetched for strangers before their jobs are looked at. */
  readonly large?: Partial<LargeLimits>
  /** The price grows with the seats that are taken, up to twice the announced one, for who asked for a quote. Default false. */
  readonly surge?: boolean
  /** For which delivered jobs a usage receipt is published. Default `routed`: those that name a routing event. */
  readonly usage?: UsagePolicy
  /** Measures the own runner after the start and publishes that as a claim. Default false. */
  readonly benchmark?: boolean
  onEvent?(event: NodeEvent): void
}

export interface Node {
  readonly pubkey: string
  readonly kinds: readonly number[]
  /** Resolves with true when the first self-probe came back through the relays. */
  readonly ready: Promise<boolean>
  /** Jobs that have not ended. */
  jobs(): readonly NodeJob[]
  /** Stops listening and drops what is under way. Does not close relays, wallet or runner. */
  close(): Promise<void>
}

/**
 * Opens a node on relays that stay the caller's. Throws when a price is asked and no wallet is given. When `signal` fires
 * before it has opened, it closes again and rejects with the signal's reason.
 */
export async function openNode(options: NodeOptions, opening?: AbortSignal): Promise<Node> {
  const { relays, keys, secret, clock, runner, payee } = options
  const pubkey = keys.publicKey(secret)
  const { splits } = options.service
  const limits = { ...defaultLimits, ...options.limits }
  const seats = Math.min(limits.jobs, options.service.slots ?? defaultSeats)
  const load = openLoad({ seats, clock, jobs: () => jobs.open() })
  const pricing = openPricing({
    ...{ priceMsats: options.priceMsats, surge: options.surge ?? false, node: pubkey, slots: load.slots },
    ...present({ splits, tariff: options.tariff }),
  })
  const priceMsats = pricing.ownOf(pricing.announcedMsats)
  const priced = priceMsats > 0n || pricing.isMetered
  if (priced && !payee)
    throw new Error(
      `A price${pricing.isMetered ? ' by the token' : ` of ${priceMsats} msats`} needs a wallet: give one with --wallet, or work for free with --price-msats 0.`,
    )
  const journal = options.journal ?? memoryJournal()
  const seal = openSeal({ keys, secret })
  const tell = (event: NodeEvent) => {
    load.heard(event)
    if (event.job !== undefined) state.changed()
    options.onEvent?.(event)
  }
  const closing = new AbortController()
  const { signal } = closing
  const models = await runner.models()
  const untold = (says: string) => tell({ event: 'trouble', says })
  const holder = priced ? await openHolder(payee, clock, untold, opening) : undefined
  const terms = termsOf({ ...options, priceMsats: pricing.announcedMsats }, holder?.offered === true)
  const zaps = openZaps({ keys, secret, clock, journal })
  const mine = { relays, keys, secret, clock }
  const privacy = options.service.privacy ?? defaultPrivacy
  const service = {
    ...options.service,
    terms: offered(terms),
    privacy,
    slots: seats,
    retentionSeconds: limits.keptSeconds,
  }
  function pricesAt(when: 'announced' | 'now'): PostedPrice[] {
    const posted = pricing.posted(when)
    const offers = runner.kinds.flatMap(kind => models.map(({ name }) => ({ kind, model: name })))
    // The units of one price are told together or not at all.
    return offers
      .slice(0, Math.floor(mostPrices / posted.length))
      .flatMap(offer => posted.map(price => ({ ...offer, ...price })))
  }
  const state = openState({
    ...{ ...mine, service: service.id, kinds: runner.kinds, slots: load.slots },
    prices: () => pricesAt('now'),
  })
  const quotes = openQuotes({
    ...{ ...mine, journal, pricing, load, kinds: runner.kinds, models, terms: service.terms, privacy, limits, tell },
    ...present({ region: service.region, determinism: service.determinism }),
  })
  const usage = openUsage({ ...mine, journal, policy: options.usage ?? 'routed', keepMs: limits.keepMs, tell })
  const payloads = openPayloads({ relays, keys, clock, journal })
  const inputs = openInputs({ relays, keys, clock, payloads, me: pubkey, ...present({ limits: options.large }) })
  const jobs: Jobs = openJobs({
    ...{ payloads, inputs },
    ...{ ...mine, journal, runner, pricing, quotes, usage, terms, limits, seal, privacy, zaps, tell, signal },
    streams: some => doors.streams(some),
    ...(payee ? { payee } : {}),
    ...(holder ? { holder: holder.payee } : {}),
    ...(terms.escrow ? { escrow: openEscrowDesk({ relays, keys, secret, clock, journal, signal }) } : {}),
  })
  const { refunder } = options
  const refunds =
    refunder &&
    openRefunds({
      ...{ journal, clock, payer: refunder.payer, network: refunder.network, node: pubkey, tell, signal },
      left(customer, job, creditMsats) {
        const at = seconds(clock)
        const says = `${creditMsats} msats are kept for you.`
        const word = { job, customer, status: 'error', code: leftOfCredit, says, content: '', creditMsats } as const
        void relays.publish(wrapEvent(keys, keys.sign(feedback.write(word, at), secret), customer, at), { want: 1 })
      },
    })
  const tips =
    payee && (pricing.isMetered || options.priceMsats > 0n)
      ? openTips({ relays, keys, secret, clock, journal, payee, tell, signal })
      : undefined
  const announcer: Announcer = openAnnouncer({
    ...{ relays, keys, secret, clock, models, service, tell },
    ...(pricing.isMetered ? {} : { priceMsats: options.priceMsats }),
    prices: pricesAt('announced'),
    beaten: state.beat,
  })

  const quotesDoor = openIntake({
    ...{ verify: keys.signed, clock, kinds: [quoteRequest.number], me: pubkey, open: true, maxBytes: quoteBytes },
    windowSeconds: { past: 60, ahead: 60 },
    rate: { perAuthorPerMinute: limits.quotesPerMinute, burst: limits.quotesPerMinute / 5 },
  }).admit
  const [answered] = await Promise.all([
    answeredBefore(relays, pubkey, runner.kinds, seconds(clock) - answeredSeconds, opening),
    usage.start(opening),
  ])
  opening?.throwIfAborted()
  const doors: Doors = openDoors({
    ...{ relays, keys, clock, seal, pubkey, kinds: runner.kinds, open: options.open ?? false, limits, jobs },
    ...{ onRequest, onInner, isProbe: announcer.isProbe },
  })
  const quoting = relays.listen(
    [addressedTo([pubkey], [quoteRequest.number]), ...runner.kinds.map(kind => offering(kind, [quoteRequest.number]))],
    { admit: quotesDoor, onEvent: quotes.take },
  )

  function onInner(inner: Event, json: string) {
    if (!keys.verify(inner)) return
    if (inner.pubkey === pubkey) return announcer.heard(inner)
    if (inner.kind === creditClaim.number) return refunds?.take(inner)
    zaps.take(inner, json)
    if (!jobs.knows(jobIdOf(inner) ?? '')) tips?.take(inner, json)
  }

  function onRequest(event: Event) {
    if (event.pubkey === pubkey) return
    // What the relays remember of us counts where the journal knows nothing.
    if (answered.has(event.id) && !journal.jobs.find('node', event.id)) return
    jobs.take(event)
  }

  const prune = () => {
    journal.prune(seconds(clock) - limits.keptSeconds)
    stopPruning = clock.after(pruneMs, prune)
  }
  let stopPruning = () => {}
  prune()
  await jobs.resume()
  refunds?.resume()
  tips?.resume()
  const close = async () => {
    announcer.close()
    state.close()
    stopPruning()
    doors.close()
    quoting.close()
    closing.abort()
    jobs.close()
  }
  await Promise.race([Promise.all([doors.live, quoting.live]), aborted(opening)])
  if (opening?.aborted) {
    await close()
    throw opening.reason
  }
  const ready = announcer.start()
  if (options.benchmark) void ready.then(() => claimSpeed({ ...mine, runner, models, tell }, signal))
  return {
    pubkey,
    kinds: runner.kinds,
    ready,
    jobs: () => jobs.open(),
    close,
  }
}

const pruneMs = 3_600_000
/** Seconds before now for which the relays are asked what this key has delivered. */
const answeredSeconds = 600
const defaultSeats = 2
const mostPrices = 64
/** A question about a price is short. */
const quoteBytes = 16_384
