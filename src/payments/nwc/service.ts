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
import type { PayOrder, Wallet } from '../payment.ts'
import { isNews, METHODS, NOTIFICATIONS, type NwcMethod, nwcAnswers, paidBody } from './answers.ts'
import { holdAnswers } from './answers-hold.ts'
import { errorBody, type Fields, heldBody, notificationBody, type ReplyBody } from './body.ts'
import { nwcBudget } from './budget.ts'
import { type Claim, openClaims } from './claims.ts'
import { heldNews } from './held-news.ts'
import { payOrder } from './invoice-ask.ts'
import { openPaying } from './paying.ts'
import type { Renewal } from './period.ts'
import { CIPHERS, type NwcKeys, type NwcSeal, type Scheme } from './ports.ts'
import { memoryStore, type NwcStore } from './store.ts'

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
  /** When the budget begins anew, by the calendar in UTC. Default `never`. */
  readonly renewal?: Renewal
  /** Set aside beside an amount until its fee is known. Default nothing: fees may go over the budget by themselves. */
  readonly feeReserveMsats?: (msats: bigint) => bigint
  /**
   * Where claims, spending and what is under way outlive the process: a shelf of its own for each connection. Default:
   * memory, so that a restart begins anew.
   */
  readonly store?: NwcStore
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

/** How old a request may be, and how far its clock may be ahead. */
const STALE_SECONDS = 300
const AHEAD_SECONDS = 60
const MAX_RUNNING = 256
/** How often one stored answer is given again. */
const MAX_REPEATS = 3

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
  const mayPay = methods.includes('pay_invoice')
  const ciphers = schemes.map(scheme => CIPHERS[scheme])
  const seal = options.seal(secret)
  const pubkey = keys.publicKey(secret)
  const store = options.store ?? memoryStore()
  const { budgetMsats: totalMsats, renewal = 'never', feeReserveMsats = () => 0n } = options
  const budget = totalMsats === undefined ? undefined : nwcBudget({ totalMsats, renewal, feeReserveMsats, store })
  const claims = openClaims(store, remembered)
  const paying = openPaying({ wallet, clock, budget, live: () => !closed })
  const holds = heldNews(
    store,
    () => hold.payee(),
    async money => {
      const row = await wallet.transaction(money.hash).catch(() => undefined)
      if (row) await notify(heldBody(row, money))
    },
  )
  const hold = holdAnswers({ wallet, clock, made: holds.made, over: holds.over })
  const { answer, offered } = nwcAnswers({ wallet, clock, methods, budget, hold, pay: paying.pay })
  const counts = { ran: 0, ignored: 0, repeated: 0, lost: 0 }
  let running = 0
  let closed = false
  /** What a process before this one left open. */
  const left = { claims: claims.unanswered(), reserved: budget?.reserved() ?? [] }

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
  void listening.live.then(() => closed || resume())

  /** True when the request is ours to answer. It is claimed before anything runs. */
  function receive(event: Event): boolean {
    const now = seconds(clock)
    if (event.pubkey !== clientPubkey || event.kind !== walletRequest.number) return false
    if ((expirationOf(event) ?? now) < now) return false
    if (event.created_at < now - STALE_SECONDS || event.created_at > now + AHEAD_SECONDS) return false
    if (!keys.verify(event)) return false
    const claim = claims.get(event.id)
    if (claim) return repeat(claim)
    if (!claims.roomFor(now)) return false
    // The shape of the ciphertext tells more than the tag, which old clients leave out.
    const shape = schemeOf(event.content)
    const scheme = schemes.find(known => known === shape)
    const about = { id: event.id, until: event.created_at + STALE_SECONDS, repeats: 0 }
    if (!scheme) {
      const says = `This wallet reads ${ciphers.join(' and ')}.`
      const fresh = { ...about, scheme: 'nip44' as const, method: 'unknown', params: {} }
      claims.open(fresh)
      void end(fresh, errorBody('unknown', 'UNSUPPORTED_ENCRYPTION', says))
      return true
    }
    const read = walletRequest.read(event, seal.decrypt(clientPubkey, event.content))
    if (!read.ok || read.value.wallet !== pubkey) return false
    const { expiresAt, body } = read.value
    const fresh: Claim = { ...about, ...body, scheme, ...(expiresAt !== undefined && { expiresAt }) }
    begin(fresh)
    if (!fresh.body) void run(fresh)
    else void reply(fresh.id, fresh.body, scheme)
    return true
  }

  /** Claims a request, and with it what it may spend: both are kept, or neither. */
  function begin(claim: Claim): void {
    const { method, params } = claim
    if (running >= MAX_RUNNING) claim.body = errorBody(method, 'RATE_LIMITED', 'Too many requests are under way.')
    const order = !claim.body && mayPay && method === 'pay_invoice' ? orderOf(params) : undefined
    if (order) claim.order = order
    try {
      store.atomically(
        () => {
          if (order && budget && !budget.reserve(order.hash, order.msats, seconds(clock)))
            claim.body = errorBody(method, 'QUOTA_EXCEEDED', 'This would go over the budget of the connection.')
          claims.open(claim)
        },
        method === 'pay_invoice' ? 'money' : 'plain',
      )
    } catch (error) {
      claims.drop(claim.id)
      budget?.reload()
      throw error
    }
  }

  async function run(claim: Claim): Promise<void> {
    const { id, method, params, scheme, order } = claim
    running++
    counts.ran++
    const body = await answer({ id, method, params, old: scheme === 'nip04', ...(order && { order }) })
    running--
    await end(claim, body)
  }

  /** Keeps the answer and gives it. */
  async function end(claim: Claim, body: ReplyBody): Promise<void> {
    claim.body = body
    if (closed) return
    try {
      claims.answer(claim, body)
    } catch {
      // Told all the same: a restart that finds no answer asks the wallet, and comes to the same.
      counts.lost++
    }
    await reply(claim.id, body, claim.scheme)
  }

  function repeat(claim: Claim): boolean {
    counts.repeated++
    if (claim.body !== undefined && claim.repeats++ < MAX_REPEATS) void reply(claim.id, claim.body, claim.scheme)
    return true
  }

  /** Ends what a process before this one began. Payments are looked up first: what left is never sent again. */
  function resume(): void {
    holds.resume()
    for (const claim of left.claims) {
      if (claim.method === 'pay_invoice' && mayPay) void resumePayment(claim)
      else void run(claim)
    }
    const mine = new Set(left.claims.map(({ params }) => orderOf(params)?.hash))
    for (const hash of left.reserved) if (!mine.has(hash)) void paying.follow(hash)
  }

  async function resumePayment(claim: Claim): Promise<void> {
    const order = orderOf(claim.params)
    if (!order) return run(claim)
    const state = await wallet.payState(order.hash)
    const mayAct = seconds(clock) <= (claim.expiresAt ?? claim.until)
    if (state.state === 'unsent' && mayAct && !closed) {
      if (budget && !budget.reserve(order.hash, order.msats, seconds(clock)))
        return end(claim, errorBody(claim.method, 'QUOTA_EXCEEDED', 'This would go over the budget of the connection.'))
      claim.order = { ...order, again: true }
      return run(claim)
    }
    const sure = paying.note(order.hash, state) ? state : await paying.follow(order.hash)
    await end(claim, await paidBody(sure))
  }

  const reply = (request: string, body: ReplyBody, scheme: Scheme) =>
    say(encrypt => walletResponse.write({ client: clientPubkey, request, body }, seconds(clock), encrypt), scheme)

  const notify = (body: ReturnType<typeof notificationBody>) =>
    say(encrypt => walletNotification.write({ client: clientPubkey, body }, seconds(clock), encrypt), 'nip44')

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
      holds.close()
      paying.close()
      listening.close()
    },
  }
}

function orderOf(params: Fields): PayOrder | undefined {
  try {
    return payOrder(params)
  } catch {
    return undefined
  }
}
