/**
 * Our NIP-47 wallet service: serves any `Wallet` to one client over relays, through one standing subscription.
 * A request runs once however often it arrives; what is not from the client, late or unreadable gets no answer.
 * @module
 */
import {
  addressedTo,
  type Event,
  expirationOf,
  schemeOf,
  type Template,
  walletInfo,
  walletNotification,
  walletRequest,
  walletResponse,
} from '../../../kinds/index.ts'
import type { Relays } from '../../../relays/relay.ts'
import { type Clock, seconds } from '../../clock.ts'
import type { Wallet } from '../payment.ts'
import { type Asked, isNews, METHODS, NOTIFICATIONS, type NwcMethod, nwcAnswers } from './answers.ts'
import { holdAnswers } from './answers-hold.ts'
import { errorBody, heldBody, notificationBody, type ReplyBody } from './body.ts'
import { nwcBudget, type Spent } from './budget.ts'
import { CIPHERS, type NwcKeys, type NwcSeal, type Scheme } from './ports.ts'

export interface NwcServiceOptions {
  /** What is served. Closing the service leaves wallet and relays open. */
  readonly wallet: Wallet
  readonly relays: Relays
  readonly clock: Clock
  readonly keys: NwcKeys
  /** Seals with one secret: `secret => openSeal({ keys, secret })`. */
  readonly seal: (secret: Uint8Array) => NwcSeal
  /** The service's own key for this connection, 32 bytes. */
  readonly secret: Uint8Array
  /** The one client that is served, 64 hex digits. */
  readonly clientPubkey: string
  /** What the client may do. Default: everything. */
  readonly methods?: readonly NwcMethod[]
  /** What the client may spend in all, fees included; without it, whatever the wallet holds. */
  readonly budgetMsats?: bigint
  /** Where the spending is kept. Default: in memory, so a restart begins the budget anew. */
  readonly spent?: Spent
  /** Default: both. */
  readonly schemes?: readonly Scheme[]
  /** Requests remembered for five minutes; when all are recent, further ones get no answer. Default 4,096. */
  readonly remembered?: number
}

export interface NwcService {
  /** The service's public key: the `wallet` of the connection string. */
  readonly pubkey: string
  /** Resolves when requests are heard and the announcement was handed to the relays. Never rejects. */
  readonly ready: Promise<void>
  /** Requests that ran; events refused unsaid; repeats; answers or notifications that no relay took. */
  readonly counts: { readonly ran: number; readonly ignored: number; readonly repeated: number; readonly lost: number }
  close(): Promise<void>
}

interface Claim {
  readonly until: number
  readonly scheme: Scheme
  body?: ReplyBody
  repeats: number
}

/** How old a request may be, and how far its clock may be ahead. */
const STALE_SECONDS = 300
const AHEAD_SECONDS = 60
const MAX_RUNNING = 256
/** How often one stored answer is given again. */
const MAX_REPEATS = 3
/** Hold invoices whose money is waited for at one time. */
const MAX_HELD = 1_000

/** Serves at once: listens first, then announces itself. */
export function serveNwc(options: NwcServiceOptions): NwcService {
  const {
    wallet,
    relays,
    clock,
    keys,
    secret,
    clientPubkey,
    schemes = ['nip44', 'nip04'],
    remembered = 4_096,
  } = options
  const methods = METHODS.filter(method => !options.methods || options.methods.includes(method))
  const ciphers = schemes.map(scheme => CIPHERS[scheme])
  const seal = options.seal(secret)
  const pubkey = keys.publicKey(secret)
  const budget = options.budgetMsats === undefined ? undefined : nwcBudget(options.budgetMsats, options.spent)
  const hold = holdAnswers({ wallet, clock, made: watchHeld })
  const { answer, offered } = nwcAnswers({ wallet, clock, methods, budget, hold })
  const held = new Map<string, () => void>()
  const claims = new Map<string, Claim>()
  const counts = { ran: 0, ignored: 0, repeated: 0, lost: 0 }
  let running = 0
  let closed = false

  const listening = relays.listen([addressedTo([pubkey], [walletRequest.number], { authors: [clientPubkey] })], {
    onEvent(event) {
      try {
        if (!receive(event)) counts.ignored++
      } catch {
        counts.ignored++
      }
    },
  })
  const stopNews = wallet.onSettled(row => {
    if (isNews(row)) void notify(notificationBody(row))
  })
  const ready = announce()

  /** True when the request is ours to answer. It is claimed before anything runs. */
  function receive(event: Event): boolean {
    const now = seconds(clock)
    if (event.pubkey !== clientPubkey || event.kind !== walletRequest.number) return false
    if ((expirationOf(event) ?? now) < now) return false
    if (event.created_at < now - STALE_SECONDS || event.created_at > now + AHEAD_SECONDS) return false
    if (!keys.verify(event)) return false
    const claim = claims.get(event.id)
    if (claim) return repeat(event.id, claim)
    if (!roomFor(now)) return false
    // The shape of the ciphertext tells more than the tag, which old clients leave out.
    const shape = schemeOf(event.content)
    const scheme = schemes.find(known => known === shape)
    const fresh: Claim = { until: event.created_at + STALE_SECONDS, scheme: scheme ?? 'nip44', repeats: 0 }
    if (!scheme) {
      claims.set(event.id, fresh)
      fresh.body = errorBody('unknown', 'UNSUPPORTED_ENCRYPTION', `This wallet reads ${ciphers.join(' and ')}.`)
      void reply(event.id, fresh.body, fresh.scheme)
      return true
    }
    const read = walletRequest.read(event, seal.decrypt(clientPubkey, event.content))
    if (!read.ok || read.value.wallet !== pubkey) return false
    claims.set(event.id, fresh)
    void run({ id: event.id, ...read.value.body, old: scheme === 'nip04' }, fresh)
    return true
  }

  async function run(asked: Asked, claim: Claim): Promise<void> {
    const { id, method } = asked
    if (running >= MAX_RUNNING) claim.body = errorBody(method, 'RATE_LIMITED', 'Too many requests are under way.')
    else {
      running++
      counts.ran++
      claim.body = await answer(asked)
      running--
    }
    await reply(id, claim.body, claim.scheme)
  }

  function repeat(id: string, claim: Claim): boolean {
    counts.repeated++
    if (claim.body !== undefined && claim.repeats++ < MAX_REPEATS) void reply(id, claim.body, claim.scheme)
    return true
  }

  function roomFor(now: number): boolean {
    if (claims.size < remembered) return true
    for (const [id, claim] of claims) if (claim.until < now && claim.body !== undefined) claims.delete(id)
    return claims.size < remembered
  }

  const reply = (request: string, body: ReplyBody, scheme: Scheme) =>
    say(encrypt => walletResponse.write({ client: clientPubkey, request, body }, seconds(clock), encrypt), scheme)

  const notify = (body: ReturnType<typeof notificationBody>) =>
    say(encrypt => walletNotification.write({ client: clientPubkey, body }, seconds(clock), encrypt), 'nip44')

  /** Tells of the money of a hold invoice once it waits. Of invoices that were made long ago the oldest is let go. */
  function watchHeld(hash: string): void {
    if (held.has(hash) || closed) return
    if (held.size >= MAX_HELD) {
      const [oldest, stop] = held.entries().next().value ?? []
      stop?.()
      if (oldest !== undefined) held.delete(oldest)
    }
    held.set(hash, () => {})
    void hold.payee().then(payee => {
      if (!payee || !held.has(hash)) return
      const stop = payee.watchHeld(hash, async money => {
        held.delete(hash)
        const row = await wallet.transaction(hash).catch(() => undefined)
        if (row) await notify(heldBody(row, money))
      })
      held.set(hash, stop)
    })
  }

  /** What the relays do with it is counted and ends nothing. */
  async function say(write: (encrypt: (text: string) => string) => Template, scheme: Scheme): Promise<void> {
    if (closed) return
    try {
      const template = write(text => seal.encrypt(clientPubkey, text, scheme))
      const published = await relays.publish(keys.sign(template, secret), { want: 1 })
      if (published.accepted === 0) counts.lost++
    } catch {
      counts.lost++
    }
  }

  async function announce(): Promise<void> {
    await listening.live
    if (closed) return
    try {
      const { methods: known, notifications } = await offered().catch(() => ({
        methods: methods.filter(method => !method.includes('_hold_')),
        notifications: NOTIFICATIONS.slice(0, 2),
      }))
      const info = { methods: [...known, 'notifications'], encryption: ciphers, notifications }
      await relays.publish(keys.sign(walletInfo.write(info, seconds(clock)), secret))
    } catch {
      counts.lost++
    }
  }

  return {
    pubkey,
    ready,
    counts,
    async close() {
      closed = true
      stopNews()
      for (const stop of held.values()) stop()
      held.clear()
      listening.close()
    },
  }
}
