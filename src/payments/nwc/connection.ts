/**
 * The client's end of one NIP-47 connection: one standing subscription, live before the first request, and requests
 * that end as an answer, a refusal, or the plain admission that nobody knows.
 * @module
 */
import {
  addressedTo,
  addressees,
  type Event,
  ofKinds,
  referencesOf,
  type WalletNotification,
  walletInfo,
  walletNotification,
  walletRequest,
  walletResponse,
} from '../../../kinds/index.ts'
import type { Listening, Published, Relays } from '../../../relays/relay.ts'
import { type Clock, seconds } from '../../clock.ts'
import type { Fields } from './body.ts'
import { CIPHERS, type NwcKeys, type NwcSeal, type Scheme } from './ports.ts'
import type { NwcUri } from './uri.ts'

/**
 * How a request ended. `unsent`: it never left this process. `silent`: it left and nothing was heard, so it may have
 * run, may be running, and may still be run by a wallet that wakes up before `expiresAt` (unix seconds).
 */
export type Outcome =
  | { readonly state: 'answered'; readonly result: Fields }
  | { readonly state: 'refused'; readonly code: string; readonly says: string }
  | { readonly state: 'unsent'; readonly code: string; readonly says: string }
  | { readonly state: 'silent'; readonly says: string }

export interface Connection {
  /** Sends one request with a fresh event. Never rejects. */
  request(method: string, params: Fields, timeoutMs: number, signal?: AbortSignal): Promise<Outcome>
  /** Events that reached us and were no use: forged, foreign, late, undecryptable, malformed. */
  readonly dropped: number
  close(): void
}

export interface ConnectionOptions {
  readonly uri: NwcUri
  readonly relays: Relays
  readonly clock: Clock
  readonly keys: NwcKeys
  readonly seal: NwcSeal
  /** Milliseconds between two sendings of one question. Default 4,000. */
  readonly repeatMs?: number
  /** Verified, decrypted, well-formed. */
  onNotification(body: WalletNotification['body']): void
}

interface Waiting {
  readonly method: string
  readonly finish: (outcome: Outcome) => void
  /** No answer will come: `unsent` where the request never left. */
  readonly lost: (code: string, says: string) => void
}

/** Requests that wait at one time; more are `unsent` with code `BUSY`. */
const MAX_PENDING = 1_000
/** Between two sendings of one question. */
const REPEAT_MS = 4_000

/** Opens the subscription at once. */
export function openConnection(options: ConnectionOptions): Connection {
  const { uri, relays, clock, keys, seal } = options
  const me = keys.publicKey(uri.secret)
  /** By request event id. */
  const pending = new Map<string, Waiting>()
  const active = new Set<Waiting>()
  let heardAll = () => {}
  /** Every relay has shown the announcement that it holds, or had its time. */
  const announced = new Promise<void>(resolve => {
    heardAll = resolve
  })
  let info: { at: number; id: string; scheme: Scheme } | undefined
  let dropped = 0
  let closed = false

  const listening: Listening = relays.listen(
    [
      addressedTo([me], [walletResponse.number, walletNotification.number], { authors: [uri.wallet] }),
      ofKinds([walletInfo.number], { authors: [uri.wallet] }),
    ],
    {
      onEvent(event) {
        try {
          if (!receive(event)) dropped++
        } catch {
          dropped++
        }
      },
      onEose: () => heardAll(),
    },
  )

  /** An old announcement may come first, from a relay that missed the newer one: nobody is talked down before all were heard. */
  async function ready(): Promise<void> {
    await listening.live
    if (info?.scheme === 'nip04') await announced
  }

  /** True when the event was of use. Cheap checks come before the signature, the signature before decryption. */
  function receive(event: Event): boolean {
    if (event.pubkey !== uri.wallet) return false
    if (event.kind === walletInfo.number) return receiveInfo(event)
    if (!addressees(event).includes(me)) return false
    if (event.kind === walletNotification.number) {
      if (!keys.verify(event)) return false
      const read = walletNotification.read(event, seal.decrypt(uri.wallet, event.content))
      if (read.ok) options.onNotification(read.value.body)
      return read.ok
    }
    const waiting = pending.get(referencesOf(event)[0] ?? '')
    if (!waiting || !keys.verify(event)) return false
    const read = walletResponse.read(event, seal.decrypt(uri.wallet, event.content))
    if (!read.ok) return false
    const { result_type, error, result } = read.value.body
    // A wallet that cannot decrypt cannot know which method was asked.
    if (result_type !== waiting.method && error?.code !== 'UNSUPPORTED_ENCRYPTION') return false
    if (error)
      waiting.finish({
        state: 'refused',
        code: /^[A-Z_]{1,40}$/.test(error.code) ? error.code : 'OTHER',
        says: error.message.slice(0, 300),
      })
    else waiting.finish({ state: 'answered', result: result ?? {} })
    return true
  }

  /** The newest announcement counts, so a relay that still holds an old one cannot talk us down to NIP-04. */
  function receiveInfo(event: Event): boolean {
    if (info && (event.created_at < info.at || (event.created_at === info.at && event.id >= info.id))) return false
    const read = walletInfo.read(event)
    if (!read.ok || !keys.verify(event)) return false
    const { encryption } = read.value
    const old = !encryption.includes(CIPHERS.nip44) && encryption.includes(CIPHERS.nip04)
    info = { at: event.created_at, id: event.id, scheme: old ? 'nip04' : 'nip44' }
    return true
  }

  function sign(method: string, params: Fields, timeoutMs: number): Event {
    const scheme = info?.scheme ?? 'nip44'
    const now = seconds(clock)
    const request = {
      ...{ wallet: uri.wallet, encryption: CIPHERS[scheme], expiresAt: now + Math.ceil(timeoutMs / 1_000) },
      body: { method, params },
    }
    const template = walletRequest.write(request, now, text => seal.encrypt(uri.wallet, text, scheme))
    return keys.sign(template, uri.secret)
  }

  return {
    request(method, params, timeoutMs, signal) {
      if (closed) return Promise.resolve(unsent('CLOSED', 'This wallet connection was closed.'))
      if (signal?.aborted) return Promise.resolve(unsent('ABORTED', 'The request was given up before it left.'))
      if (active.size >= MAX_PENDING) return Promise.resolve(unsent('BUSY', 'Too many wallet requests wait already.'))
      return new Promise(resolve => {
        const outbox = new AbortController()
        const ids: string[] = []
        let stopRepeating = () => {}
        const waiting: Waiting = {
          method,
          finish(outcome) {
            if (!active.delete(waiting)) return
            cancel()
            stopRepeating()
            signal?.removeEventListener('abort', abort)
            for (const id of ids) pending.delete(id)
            outbox.abort()
            resolve(outcome)
          },
          lost: (code, says) => waiting.finish(ids.length === 0 ? unsent(code, says) : { state: 'silent', says }),
        }
        const { lost } = waiting
        const send = (): Promise<Published> => {
          const event = sign(method, params, timeoutMs)
          ids.push(event.id)
          pending.set(event.id, waiting)
          return relays.publish(event, { want: 1, keepMs: timeoutMs, signal: outbox.signal })
        }
        // Requests are ephemeral: one that came while the wallet was not listening is gone, and relays pass no event on
        // twice. So a question is asked anew. Payments are not: they are looked up.
        const repeat = () => {
          stopRepeating = clock.after(options.repeatMs ?? REPEAT_MS, () => {
            void send().catch(() => {})
            repeat()
          })
        }
        const abort = () => lost('ABORTED', `${method}: given up by the caller.`)
        active.add(waiting)
        const cancel = clock.after(timeoutMs, () => lost('UNREACHABLE', `${method}: no answer within ${timeoutMs} ms.`))
        signal?.addEventListener('abort', abort, { once: true })
        void ready()
          .then(async () => {
            if (!active.has(waiting)) return
            if (method !== 'pay_invoice') repeat()
            const sent = await send()
            const refusals = sent.acks.filter(ack => !ack.ok && ack.says !== '')
            if (refusals.length > 0 && refusals.length === sent.acks.length && sent.accepted === 0)
              lost('UNREACHABLE', `${method}: no relay took the request (${refusals[0]?.says.slice(0, 200)}).`)
          })
          .catch(() => lost('UNREACHABLE', `${method}: the request could not be published.`))
      })
    },
    get dropped() {
      return dropped
    },
    close() {
      if (closed) return
      closed = true
      listening.close()
      for (const { method, lost } of [...active]) lost('CLOSED', `${method}: the connection was closed.`)
    },
  }
}

const unsent = (code: string, says: string): Outcome => ({ state: 'unsent', code, says })
