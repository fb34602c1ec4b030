/**
 * The node: hears jobs, bills, works, streams, delivers, and says that it is alive only while it hears itself.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import { addressedTo, cancel, creditClaim, ephemeralWrap, jobIdOf, offering } from '../../kinds/index.ts'
import type { Listening, Relays } from '../../relays/relay.ts'
import { aborted, type Clock, seconds } from '../clock.ts'
import { openIntake } from '../intake.ts'
import type { NodeJob } from '../job.ts'
import type { Journal } from '../journal/journal.ts'
import { memoryJournal } from '../journal/memory.ts'
import type { Keys } from '../keys.ts'
import type { Network, Payee, Payer } from '../payments/payment.ts'
import { maxReceivers, shareOf } from '../payments/split.ts'
import type { Runner } from '../runners/runner.ts'
import { openSeal } from '../seal.ts'
import { type Announcer, openAnnouncer, type ServiceFacts } from './announce.ts'
import { openEscrowDesk } from './escrow.ts'
import { openHolder } from './holder.ts'
import type { NodeEvent } from './job-box.ts'
import { openJobs } from './jobs.ts'
import { openRefunds } from './refunds.ts'
import { answeredBefore, attempt } from './request.ts'
import { type NodeTerms, offered } from './terms.ts'
import { openTips } from './tips.ts'
import { openZaps } from './zaps.ts'

export type { NodeEvent } from './job-box.ts'

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
  onEvent?(event: NodeEvent): void
}

export interface NodeLimits {
  /** Jobs that have not ended. More are refused as `busy`. */
  readonly jobs: number
  /** Of them, jobs of one customer. */
  readonly jobsPerCustomer: number
  /** Unpaid invoices of one customer. */
  readonly billsPerCustomer: number
  /** Ended jobs whose answer is still repeated to those who ask again. */
  readonly remembered: number
  /** Seconds that an invoice lives. */
  readonly billSeconds: number
  /** Seconds that the work may take. */
  readonly workSeconds: number
  /** Milliseconds for which answers are offered to relays that come back. */
  readonly keepMs: number
  /** Jobs of one customer that are looked at; a fifth of it at once. */
  readonly requestsPerMinute: number
  /** Refusals that are sent, to all together; a fifth of it at once. Beyond it junk is dropped in silence. */
  readonly refusalsPerMinute: number
  /** Seconds for which the journal keeps ended jobs. Money rows stay. */
  readonly keptSeconds: number
}

const defaults: NodeLimits = {
  jobs: 64,
  jobsPerCustomer: 8,
  billsPerCustomer: 8,
  remembered: 2_000,
  billSeconds: 300,
  workSeconds: 600,
  keepMs: 900_000,
  requestsPerMinute: 600,
  refusalsPerMinute: 300,
  keptSeconds: 7 * 86_400,
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
  const priceMsats = ownMsats(options, pubkey)
  if (priceMsats > 0n && !payee)
    throw new Error(
      `A price of ${priceMsats} msats needs a wallet: give one with --wallet, or work for free with --price-msats 0.`,
    )
  const limits = { ...defaults, ...options.limits }
  const journal = options.journal ?? memoryJournal()
  const seal = openSeal({ keys, secret })
  const tell = (event: NodeEvent) => options.onEvent?.(event)
  const closing = new AbortController()
  const { signal } = closing
  const models = await runner.models()
  const untold = (says: string) => tell({ event: 'trouble', says })
  const holder = priceMsats > 0n ? await openHolder(payee, clock, untold, opening) : undefined
  const terms = termsOf(options, holder?.offered === true)
  const zaps = openZaps({ keys, secret, clock, priceMsats, journal })
  const jobs = openJobs({
    ...{ relays, keys, secret, clock, journal, runner, priceMsats, terms, limits, seal, zaps, tell, signal },
    ...(payee ? { payee } : {}),
    ...(holder ? { holder: holder.payee } : {}),
    ...(terms.escrow ? { escrow: openEscrowDesk({ relays, keys, secret, clock, journal, signal }) } : {}),
  })
  const { refunder } = options
  const refunds =
    refunder &&
    openRefunds({ journal, clock, payer: refunder.payer, network: refunder.network, node: pubkey, tell, signal })
  const tips =
    payee && options.priceMsats > 0n
      ? openTips({ relays, keys, secret, clock, journal, payee, tell, signal })
      : undefined
  const service = { ...options.service, terms: offered(terms) }
  const announcer: Announcer = openAnnouncer({
    ...{ relays, keys, secret, clock, priceMsats: options.priceMsats, models, service, tell },
  })

  const since = () => seconds(clock) - 600
  const rate = { perAuthorPerMinute: limits.requestsPerMinute, burst: limits.requestsPerMinute / 5 }
  const intake = (kinds: readonly number[], open: boolean) =>
    openIntake({ verify: keys.signed, clock, kinds: [...kinds], me: pubkey, open, rate }).admit
  const onAgain = (id: string) => jobs.again(id)
  const answered = await answeredBefore(relays, pubkey, runner.kinds, since(), opening)
  opening?.throwIfAborted()
  const listening: Listening[] = [
    relays.listen([addressedTo([pubkey], [...runner.kinds], { since: since() })], {
      admit: intake(runner.kinds, false),
      onEvent: onRequest,
      onAgain,
    }),
    relays.listen([addressedTo([pubkey], [ephemeralWrap.number])], {
      admit: intake([ephemeralWrap.number], false),
      onEvent: onWrap,
    }),
    relays.listen(
      runner.kinds.map(kind => offering(kind, [cancel.number], { since: since() })),
      {
        admit: intake([cancel.number], true),
        onEvent: onCancel,
      },
    ),
  ]
  if (options.open)
    listening.push(
      relays.listen([{ kinds: [...runner.kinds], since: seconds(clock) - 60 }], {
        admit: intake(runner.kinds, true),
        onEvent: onRequest,
        onAgain,
      }),
    )

  function onWrap(event: Event) {
    const opened = attempt(() => seal.decrypt(event.pubkey, event.content))
    const wrap = opened === undefined ? undefined : ephemeralWrap.read(event, opened)
    if (!wrap?.ok || opened === undefined) return
    const inner = wrap.value.event
    if (!keys.verify(inner)) return
    if (inner.pubkey === pubkey) announcer.heard(inner)
    else if (inner.kind === creditClaim.number) refunds?.take(inner)
    else if (runner.kinds.includes(inner.kind)) jobs.askedAgain(inner)
    else {
      zaps.take(inner, opened)
      if (!jobs.knows(jobIdOf(inner) ?? '')) tips?.take(inner, opened)
    }
  }

  function onCancel(event: Event) {
    const read = cancel.read(event)
    if (read.ok) for (const id of read.value.events) jobs.cancel(id, event.pubkey)
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
    stopPruning()
    for (const one of listening) one.close()
    closing.abort()
    jobs.close()
  }
  await Promise.race([Promise.all(listening.map(one => one.live)), aborted(opening)])
  if (opening?.aborted) {
    await close()
    throw opening.reason
  }
  return {
    pubkey,
    kinds: runner.kinds,
    ready: announcer.start(),
    jobs: () => jobs.open(),
    close,
  }
}

/** What this node itself bills of its price. Throws for shares that nobody could pay. */
function ownMsats({ priceMsats, service }: NodeOptions, pubkey: string): bigint {
  const { splits = [] } = service
  const keys = new Set(splits.map(split => split.pubkey))
  const whole = splits.every(({ weight }) => Number.isSafeInteger(weight) && weight > 0)
  if (splits.length > maxReceivers || keys.size < splits.length || !whole)
    throw new Error(`The price is shared by at most ${maxReceivers}, each named once with a whole number above 0.`)
  return shareOf(priceMsats, splits, pubkey)
}

function termsOf({ when, terms, priceMsats }: NodeOptions, canHold: boolean): NodeTerms {
  const byDefault = when === 'after'
  const line = terms?.after ?? (byDefault ? { startMsats: priceMsats } : undefined)
  return {
    ...(line ? { after: line } : {}),
    afterByDefault: byDefault,
    parts: terms?.parts ?? true,
    hold: canHold && (terms?.hold ?? true),
    escrow: canHold && (terms?.escrow ?? true),
  }
}

const pruneMs = 3_600_000
