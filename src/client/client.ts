/**
 * The client: signs a job, asks one node or everybody, pays under a cap what the guard let through, shows the answer as
 * it comes, and checks what proves the payment.
 * @module
 */
import type { Announcement, Event, Message } from '../../kinds/index.ts'
import { feedback, isSealed, messagesInput, present, textInput, textRequest, textResult } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import type { Clock } from '../clock.ts'
import { seconds } from '../clock.ts'
import type { ClientJob } from '../job.ts'
import type { Keys } from '../keys.ts'
import type { Network, Payer } from '../payments/payment.ts'
import { openSeal } from '../seal.ts'
import { type AskEvent, type Asked, openAsk } from './ask.ts'
import { openHearing } from './hearing.ts'

export type { AskEvent } from './ask.ts'
export { chooseNode, type Offer, readMarket } from './market.ts'

export interface ClientOptions {
  readonly relays: Relays
  readonly keys: Keys
  /** Signs the jobs. */
  readonly secret: Uint8Array
  readonly clock: Clock
  /** Absent: free answers only. */
  readonly payer?: Payer
  /** Network of the wallet's money. */
  readonly network: Network
}

export interface Question {
  readonly text?: string
  readonly messages?: readonly Message[]
  readonly model?: string
  readonly maxTokens?: number
  readonly temperature?: number
  readonly seed?: number
  /** The chosen node and, where it is known, what it announced. Absent: open to everybody, and readable by everybody. */
  readonly node?: { readonly pubkey: string; readonly announcement?: Announcement }
  /** Most that the answer may cost, routing fees aside. */
  readonly capMsats: bigint
  /** Seconds after which nobody waits any more. Default 600. */
  readonly ttlSeconds?: number
  /** Show the answer while it is written. Default true; false saves the frames' signatures. */
  readonly stream?: boolean
  /**
   * Fires when nobody can wait for the wallet any longer: a job whose payment is in doubt then resolves as
   * `payment-unknown` with the payment hash to ask about. Without it the job waits until the wallet knows.
   */
  readonly giveUp?: AbortSignal
  onEvent?(event: AskEvent): void
}

/** How a question ended. `code` and `says` tell why there is no answer; money that left is told in either case. */
export interface Outcome {
  readonly ok: boolean
  readonly job: ClientJob
  readonly text?: string
  readonly request: Event
  readonly result?: Event
  readonly feedback: readonly Event[]
  readonly receipt?: Event
  readonly usage?: { readonly promptTokens: number; readonly outputTokens: number }
  readonly msats: bigint
  readonly preimage?: string
  readonly code?: string
  readonly says?: string
  readonly ms: number
  readonly firstTextMs?: number
}

export interface Client {
  readonly pubkey: string
  /** Resolves when the job has ended and its money is accounted for. Aborting withdraws the job. Never rejects for what others do. */
  ask(question: Question, signal?: AbortSignal): Promise<Outcome>
}

/** Opens a client on relays and a wallet that stay the caller's. */
export function openClient(options: ClientOptions): Client {
  const { relays, keys, secret, clock } = options
  const pubkey = keys.publicKey(secret)
  const seal = openSeal({ keys, secret })
  const hear = openHearing({ relays, clock, pubkey })
  // Every hash that was ever ordered here; one job orders at most one.
  const ordered = new Set<string>()

  function write(question: Question): { request: Event; wantsReceipt: boolean } {
    const { node, text, messages, model, maxTokens, temperature, seed, capMsats } = question
    if (text === undefined && !messages?.length) throw new TypeError('A question needs a text or messages.')
    const announced = node?.announcement?.priceMsats
    const wantsReceipt = announced !== undefined && announced > 0n && announced <= capMsats
    // Who announced a price is offered that price: what we could pay at most is nobody's business.
    const bidMsats = announced !== undefined && announced < capMsats ? announced : capMsats
    const sealed = node !== undefined && node.announcement?.encrypted !== false
    const now = seconds(clock)
    const template = textRequest.write(
      {
        inputs: messages?.length ? [messagesInput(messages)] : [textInput(text ?? '')],
        ...present({ model, maxTokens, temperature, seed }),
        relays: relays.urls.slice(0, 5).filter(url => /^wss?:/.test(url)),
        providers: node ? [node.pubkey] : [],
        ...(bidMsats > 0n ? { bidMsats } : {}),
        expiresAt: now + (question.ttlSeconds ?? 600),
        stream: question.stream ?? true,
        receipt: wantsReceipt,
      },
      now,
      sealed && node ? plain => seal.encrypt(node.pubkey, plain) : undefined,
    )
    return { request: keys.sign(template, secret), wantsReceipt }
  }

  return {
    pubkey,
    async ask(question, signal) {
      const began = clock.now()
      const { request, wantsReceipt } = write(question)
      const events: Event[] = []
      const seen: { result?: Event; receipt?: Event; firstTextMs?: number } = {}
      const tell = (event: AskEvent) => {
        if (event.event === 'chunk' && event.text !== '') seen.firstTextMs ??= clock.now() - began
        question.onEvent?.(event)
      }
      const asked: Asked = openAsk({ ...options, ordered, request, seal, question, wantsReceipt, tell })
      const { node } = question
      const listening = hear({
        job: request.id,
        ...(node ? { node: node.pubkey } : {}),
        namesUs: (node?.announcement?.v ?? 0) > 0,
        wantsReceipt,
        onEvent,
      })

      function onEvent(event: Event) {
        const opened = isSealed(event) ? open(event) : undefined
        if (isSealed(event) && opened === undefined) return
        if (event.kind === feedback.number && events.length < 200) events.push(event)
        if (event.kind === textResult.number && asked.chosen() === event.pubkey) seen.result ??= event
        asked.heard(event, opened)
      }
      function open(event: Event): string | undefined {
        try {
          return seal.decrypt(event.pubkey, event.content)
        } catch {
          // Anybody may send bytes that do not open: they must not end the job.
          return undefined
        }
      }

      const cancel = () => asked.cancel()
      signal?.addEventListener('abort', cancel, { once: true })
      try {
        await listening.live
        asked.begin()
        if (signal?.aborted) asked.cancel()
        const job = await Promise.race([asked.ended, gaveUp(question.giveUp, asked)])
        const receipt = await asked.receipt()
        await asked.withdrawn()
        return {
          ...asked.outcome(job),
          ...seen,
          ...(receipt ? { receipt } : {}),
          request,
          feedback: events,
          ms: clock.now() - began,
        }
      } finally {
        signal?.removeEventListener('abort', cancel)
        listening.close()
        asked.close()
      }
    },
  }
}

/** The job as it stands when the signal fires; never without one. */
const gaveUp = (signal: AbortSignal | undefined, asked: Asked): Promise<ClientJob> =>
  new Promise(resolve => {
    const stop = () => resolve(asked.job())
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })
