/**
 * The client's end of one NIP-47 connection: one standing subscription, live before the first request, and requests
 * that end as an answer, a refusal, or the plain admission that nobody knows.
 * @module
 */
import type { Event } from '../../../kinds/kind.ts'
import type { Listening, Relays } from '../../../relays/relay.ts'
import { type Clock, seconds } from '../../clock.ts'
import { type Fields, type NotificationBody, readNotificationBody, readReplyBody, writeRequestBody } from './body.ts'
import type { NwcUri } from './uri.ts'
import {
  ENCRYPTIONS,
  NUMBERS,
  type NwcKeys,
  type NwcSeal,
  readInfo,
  readReplyEvent,
  type Scheme,
  writeRequestEvent,
} from './wire.ts'

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
  /** Verified, decrypted, well-formed. */
  onNotification(body: NotificationBody): void
}

interface Waiting {
  readonly method: string
  readonly finish: (outcome: Outcome) => void
}

/** Requests that wait at one time; more are `unsent` with code `BUSY`. */
const MAX_PENDING = 1_000

/** Opens the subscription at once. */
export function openConnection(options: ConnectionOptions): Connection {
  const { uri, relays, clock, keys, seal } = options
  const me = keys.publicKey(uri.secret)
  /** By request event id. */
  const pending = new Map<string, Waiting>()
  const active = new Set<Waiting>()
  let info: { at: number; id: string; scheme: Scheme } | undefined
  let dropped = 0
  let closed = false

  const listening: Listening = relays.listen(
    [
      { kinds: [NUMBERS.response, NUMBERS.notification], authors: [uri.wallet], '#p': [me] },
      { kinds: [NUMBERS.info], authors: [uri.wallet] },
    ],
    {
      onEvent(event) {
        try {
          if (!receive(event)) dropped++
        } catch {
          dropped++
        }
      },
    },
  )

  /** True when the event was of use. Cheap checks come before the signature, the signature before decryption. */
  function receive(event: Event): boolean {
    if (event.pubkey !== uri.wallet) return false
    if (event.kind === NUMBERS.info) return receiveInfo(event)
    const reply = readReplyEvent(event)
    if (reply?.client !== me) return false
    if (event.kind === NUMBERS.notification) {
      if (!keys.verify(event)) return false
      const body = readNotificationBody(seal.decrypt(uri.wallet, reply.content))
      if (body.ok) options.onNotification(body.value)
      return body.ok
    }
    const waiting = pending.get(reply.request ?? '')
    if (event.kind !== NUMBERS.response || !waiting || !keys.verify(event)) return false
    const body = readReplyBody(seal.decrypt(uri.wallet, reply.content))
    if (!body.ok) return false
    const { method, error } = body.value
    // A wallet that cannot decrypt cannot know which method was asked.
    if (method !== waiting.method && error?.code !== 'UNSUPPORTED_ENCRYPTION') return false
    if (body.value.error === undefined) waiting.finish({ state: 'answered', result: body.value.result })
    else waiting.finish({ state: 'refused', code: body.value.error.code, says: body.value.error.message })
    return true
  }

  /** The newest announcement counts, so a relay that still holds an old one cannot talk us down to NIP-04. */
  function receiveInfo(event: Event): boolean {
    if (info && (event.created_at < info.at || (event.created_at === info.at && event.id >= info.id))) return false
    if (!keys.verify(event)) return false
    const { encryptions } = readInfo(event)
    const old = !encryptions.includes(ENCRYPTIONS.nip44) && encryptions.includes(ENCRYPTIONS.nip04)
    info = { at: event.created_at, id: event.id, scheme: old ? 'nip04' : 'nip44' }
    return true
  }

  function sign(method: string, params: Fields, timeoutMs: number): Event {
    const scheme = info?.scheme ?? 'nip44'
    const now = seconds(clock)
    const template = writeRequestEvent(
      {
        wallet: uri.wallet,
        encryption: ENCRYPTIONS[scheme],
        expiresAt: now + Math.ceil(timeoutMs / 1_000),
        content: seal.encrypt(uri.wallet, writeRequestBody(method, params), scheme),
      },
      now,
    )
    return keys.sign(template, uri.secret)
  }

  return {
    request(method, params, timeoutMs, signal) {
      if (closed) return Promise.resolve(unsent('CLOSED', 'This wallet connection was closed.'))
      if (signal?.aborted) return Promise.resolve(unsent('ABORTED', 'The request was given up before it left.'))
      if (active.size >= MAX_PENDING) return Promise.resolve(unsent('BUSY', 'Too many wallet requests wait already.'))
      return new Promise(resolve => {
        const outbox = new AbortController()
        let id: string | undefined
        const waiting: Waiting = {
          method,
          finish(outcome) {
            if (!active.delete(waiting)) return
            cancel()
            signal?.removeEventListener('abort', abort)
            if (id !== undefined) pending.delete(id)
            outbox.abort()
            resolve(outcome)
          },
        }
        const lost = (code: string, says: string) =>
          waiting.finish(id === undefined ? unsent(code, says) : { state: 'silent', says })
        const abort = () => lost('ABORTED', `${method}: given up by the caller.`)
        active.add(waiting)
        const cancel = clock.after(timeoutMs, () => lost('UNREACHABLE', `${method}: no answer within ${timeoutMs} ms.`))
        signal?.addEventListener('abort', abort, { once: true })
        void listening.live
          .then(async () => {
            if (!active.has(waiting)) return
            const event = sign(method, params, timeoutMs)
            id = event.id
            pending.set(id, waiting)
            const sent = await relays.publish(event, { want: 1, keepMs: timeoutMs, signal: outbox.signal })
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
      for (const waiting of [...active])
        waiting.finish({ state: 'silent', says: `${waiting.method}: the connection was closed.` })
    },
  }
}

const unsent = (code: string, says: string): Outcome => ({ state: 'unsent', code, says })
