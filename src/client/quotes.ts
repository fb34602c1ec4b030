/**
 * Asks routers: one request for quotes, published once the answers can be heard, and what each router has made of it when
 * the time is over. Nothing that comes back is believed here.
 * @module
 */
import {
  about,
  type Event,
  feedback,
  isSealed,
  present,
  type QuoteRequest,
  quoteRequest,
  type Routing,
  routing,
} from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { type Clock, seconds } from '../clock.ts'
import type { Keys } from '../keys.ts'
import type { Seal } from '../seal.ts'
import type { Conditions } from './conditions.ts'

/** What one router did. `bill`: it wants its fee first, and was not paid. */
export type Answered =
  | {
      readonly router: string
      readonly state: 'routed'
      readonly event: Event
      readonly routing: Routing
      readonly ms: number
    }
  | { readonly router: string; readonly state: 'refused'; readonly code: string; readonly says: string }
  | { readonly router: string; readonly state: 'silent' }

/** A bill of a router for its answer. */
export interface FeeBill {
  readonly router: string
  readonly request: string
  readonly msats?: bigint
  readonly bolt11?: string
}

export interface QuotesOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly clock: Clock
  /** Key that will sign the job. */
  readonly secret: Uint8Array
  readonly seal: Seal
  readonly routers: readonly string[]
  /** How long quotes may be collected, and how much longer an answer is waited for. */
  readonly auctionMs: number
  readonly slackMs: number
  /** Pays or refuses; a paid router gets the time once more. Resolves with why it was not paid. */
  pay(
    bill: FeeBill,
  ): Promise<{ readonly ok: true } | { readonly ok: false; readonly code: string; readonly says: string }>
}

export interface Asked {
  /** The signed request. */
  readonly request: Event
  readonly value: QuoteRequest
  /** In the order of the routers. */
  readonly answers: readonly Answered[]
}

/** How long relays may keep a request that is ephemeral anyway. */
const lifeSeconds = 60

/** Resolves when every router has answered, or when the time is over. Never rejects for what others do. */
export async function askRouters(options: QuotesOptions, conditions: Conditions, signal?: AbortSignal): Promise<Asked> {
  const { relays, keys, clock, secret, routers, auctionMs, slackMs } = options
  const now = seconds(clock)
  const { kind, capMsats, privacy, allow, deny, ...rest } = conditions
  const value: QuoteRequest = {
    ...{ kind, capMsats, privacy, allow, deny, auctionMs, to: routers, hops: 1 },
    ...present({ ...rest }),
    relays: relays.urls.slice(0, 5).filter(url => /^wss?:/.test(url)),
    expiresAt: now + lifeSeconds,
  }
  const request = keys.sign(quoteRequest.write(value, now), secret)
  const answers = new Map<string, Answered>()
  const paid = new Set<string>()
  const { promise: done, resolve } = Promise.withResolvers<void>()
  let began = clock.now()
  let cancel = () => {}

  const settle = (answer: Answered) => {
    if (answers.get(answer.router)?.state === 'routed') return
    answers.set(answer.router, answer)
    if (routers.every(router => answers.has(router))) resolve()
  }
  const arm = () => {
    cancel()
    cancel = clock.after(auctionMs + slackMs, resolve)
  }

  function onEvent(event: Event) {
    const router = event.pubkey
    if (!routers.includes(router)) return
    if (event.kind === routing.number) {
      const read = routing.read(event)
      if (!read.ok) return settle({ router, state: 'refused', code: read.rule, says: read.says })
      if (read.value.request !== request.id) return
      if (answers.get(router)?.state === 'routed') return
      return settle({ router, state: 'routed', event, routing: read.value, ms: clock.now() - began })
    }
    void onFeedback(event)
  }

  async function onFeedback(event: Event): Promise<void> {
    const router = event.pubkey
    const opened = isSealed(event) ? unsealed(event) : undefined
    const read = feedback.read(event, opened)
    if (!read.ok || read.value.job !== request.id || answers.has(router)) return
    const { status, code = 'router', says, msats, bolt11 } = read.value
    if (status === 'error')
      return settle({ router, state: 'refused', code, says: says || 'The router gave no reason.' })
    if (status !== 'payment-required' || paid.has(router)) return
    paid.add(router)
    const end = await options.pay({ router, request: request.id, ...present({ msats, bolt11 }) })
    if (end.ok) arm()
    else settle({ router, state: 'refused', code: end.code, says: end.says })
  }

  function unsealed(event: Event): string | undefined {
    try {
      return options.seal.decrypt(event.pubkey, event.content)
    } catch {
      return undefined
    }
  }

  const listening = relays.listen([about([request.id], [routing.number, feedback.number], { authors: [...routers] })], {
    onEvent,
  })
  const stop = () => resolve()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    // Ephemeral requests are answered within moments: whoever asks must be listening.
    await listening.live
    began = clock.now()
    arm()
    if (!signal?.aborted) void relays.publish(request, { keepMs: auctionMs })
    else resolve()
    await done
  } finally {
    signal?.removeEventListener('abort', stop)
    cancel()
    listening.close()
  }
  return {
    request,
    value,
    answers: routers.map(router => answers.get(router) ?? { router, state: 'silent' }),
  }
}
