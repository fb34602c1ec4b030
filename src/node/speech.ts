/**
 * What a node says about one job: written by its kind, sealed as the request was sealed, signed, and kept before it is
 * published, so that a repetition is the same bytes even in another life of the process.
 * @module
 */
import type { Encrypt, Event, Feedback, Kind, TextResult } from '../../kinds/index.ts'
import { feedback, frame, isSealed, jobKind, type Refusal, schemeOf, textResult } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import type { Clock } from '../clock.ts'
import { seconds } from '../clock.ts'
import { hmacSha256 } from '../hash.ts'
import type { Journal } from '../journal/journal.ts'
import type { Keys } from '../keys.ts'
import { jsonBytes, MOST_INLINE_BYTES, type Payloads, utf8Bytes } from '../payload/index.ts'
import { wrapEvent } from '../seal.ts'
import { readOpening } from './keeping.ts'
import { packResult } from './large.ts'
import { LARGE_LIMITS } from './large-limits.ts'
import type { SentFrame } from './sent-frames.ts'

export interface SpeechOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly secret: Uint8Array
  readonly clock: Clock
  readonly journal: Journal
  /** The job request as it came. */
  readonly request: Event
  /** Encrypts to the customer, in the scheme of the request; absent when the request was plain. */
  readonly encrypt?: Encrypt
  /** The request came in a wrap: every word leaves in one, too. */
  readonly wrapped?: boolean
  /** Milliseconds for which an undelivered event is offered again to relays that come back. */
  readonly keepMs: number
  /** Puts answers in chunks that one event does not carry. */
  readonly payloads: Pick<Payloads, 'put'>
}

export interface Speech {
  /** Bytes of an answer that one event carries to this customer. */
  readonly eventBytes: number
  /** Bytes of an answer that can be delivered at all: in chunks, where the customer's program knows them. */
  readonly answerBytes: number
  /** The text of an answer as its event carries it: the same, or a blank one and the manifest of its chunks. */
  pack(text: string, signal: AbortSignal): Promise<Packed> | Packed
  /** `slot` names what is said once a job: the same slot is the same event for ever. */
  feedback(value: Omit<Feedback, 'job' | 'customer'>, slot?: string): Event
  result(value: Omit<TextResult, 'job' | 'customer' | 'request' | 'status'>): Event
  /** Resolves when a relay has taken it, or none will. */
  frame(frame: SentFrame): Promise<void>
  /** Keeps a signed event that belongs to the job, and publishes it. */
  send(event: Event, slot: string): Event
  said(slot: string): boolean
  /** Publishes the last words again: same bytes, and not within seconds of the last time. */
  repeat(): void
}

export type Packed = { readonly ok: true; readonly text: string; readonly chunked?: string } | Refusal

/** The same request comes from every relay, and again after an outage: that alone is no reason to say it all again. */
const repeatMs = 10_000
/** A refusal is worth offering again for as long as its reader waits, not longer. */
const refusalKeepMs = 30_000
/** An outage of a breath loses no words. */
const frameKeepMs = 5_000
/** A request above this is named by id only: copied into the answer it would not fit a relay's 64 KiB. */
const copyBytes = 12_000
/** Bytes of an answer beside which such a copy has no room. */
const crowdedBytes = { sealed: 30_000, open: 40_000 } as const
/** Seconds between two words about chunks under way. */
const tellSeconds = 3

/** What somebody who asks again is told: the end if there is one, else what is going on. */
export function lastWords(journal: Journal, job: string): readonly Event[] {
  const said = journal.outbox.of(job)
  const ends = said.filter(({ slot }) => slot === 'result' || slot === 'error' || slot.startsWith('credit'))
  const last = ends.length > 0 ? ends : said.filter(({ slot }) => !slot.startsWith('receipt')).slice(-2)
  return last.map(({ event }) => event)
}

export function openSpeech(options: SpeechOptions): Speech {
  const { relays, request, keepMs, journal, wrapped = false } = options
  const customer = request.pubkey
  const job = request.id
  const kind = jobKind(request.kind)?.result ?? textResult
  let saidMs = 0
  const carried = wrapped ? 'wrapped' : options.encrypt ? 'sealed' : 'open'
  const eventBytes = { open: 57_000, sealed: 40_000, wrapped: 28_000 }[carried]
  // Programs that write NIP-04 are older than chunks.
  const chunks = !(isSealed(request) && schemeOf(request.content) === 'nip04')

  function pack(text: string, signal: AbortSignal): Promise<Packed> | Packed {
    const bytes = carried === 'open' ? jsonBytes(text) : utf8Bytes(text)
    if (!chunks || bytes <= eventBytes) return { ok: true, text }
    const { keys, secret, clock, payloads } = options
    let toldAt = seconds(clock)
    return packResult(text, {
      besideBytes: MOST_INLINE_BYTES[carried] - eventBytes,
      ...{ payloads, carried, signal, expiresAt: seconds(clock) + LARGE_LIMITS.answerSeconds },
      // Of an answer in wraps nobody may see whose it is; the same key after a restart makes the same chunks.
      ...(wrapped
        ? { secret: hmacSha256(secret, utf8.encode(`gridstr chunks ${job}`)), owner: keys.publicKey(secret) }
        : { secret }),
      ...(carried === 'open' ? {} : { to: customer }),
      onProgress({ bytes: put, ofBytes }) {
        if (seconds(clock) - toldAt < tellSeconds) return
        toldAt = seconds(clock)
        publish(
          write(feedback, {
            ...{ status: 'processing', content: '', job, customer },
            says: `The answer is on its way in chunks: ${put} of ${ofBytes} bytes.`,
          }),
          frameKeepMs,
        )
      },
    })
  }

  function publish(event: Event, keep: number) {
    saidMs = options.clock.now()
    // A relay's refusal is its own business: the other relays and the customer's next question are the remedy.
    void offer(relays, journal, event, keep, () => carry(event))
  }

  const carry = (event: Event): Event => (wrapped ? wrapFor(options, customer, event) : event)

  function write<V>(kind: Kind<V>, value: V): Event {
    return options.keys.sign(kind.write(value, seconds(options.clock), options.encrypt), options.secret)
  }

  function send(event: Event, slot: string, keep = keepMs): Event {
    const until = seconds(options.clock) + Math.ceil(keep / 1000)
    const kept = journal.outbox.keep({ job, slot, event, until }, 'plain')
    publish(kept, keep)
    return kept
  }

  const once = (slot: string): Event | undefined => journal.outbox.of(job).find(one => one.slot === slot)?.event

  return {
    send,
    eventBytes,
    answerBytes: chunks ? LARGE_LIMITS.bytesPerJob : eventBytes,
    pack,
    said: slot => once(slot) !== undefined,
    feedback(value, slot) {
      const keep = value.status === 'error' ? refusalKeepMs : keepMs
      const event = write(feedback, { ...value, job, customer })
      if (slot !== undefined) return send(event, slot, keep)
      publish(event, keep)
      return event
    },
    result(value) {
      const text = JSON.stringify(request)
      const crowded =
        carried === 'open' ? jsonBytes(value.text) > crowdedBytes.open : utf8Bytes(value.text) > crowdedBytes.sealed
      const copy = !wrapped && !crowded && text.length <= copyBytes ? { request: text } : {}
      return send(write(kind, { ...value, ...copy, job, customer, status: 'success' }), 'result')
    },
    async frame({ seq, text, last, at }) {
      const value = { job, to: customer, seq, text, ...(last ? { last } : {}) }
      const event = options.keys.sign(frame.write(value, at, options.encrypt), options.secret)
      saidMs = options.clock.now()
      await relays.publish(carry(event), { want: 1, keepMs: frameKeepMs })
    },
    repeat() {
      if (options.clock.now() - saidMs < repeatMs) return
      for (const event of lastWords(journal, job)) publish(event, keepMs)
    },
  }
}

const utf8 = new TextEncoder()

type Wrapping = Pick<SpeechOptions, 'keys' | 'clock' | 'journal'>

const wrapFor = ({ keys, clock }: Wrapping, to: string, event: Event): Event =>
  wrapEvent(keys, event, to, seconds(clock))

/** How a kept event of a job leaves: in a fresh wrap where the job came in one, else as it is. */
export function carrierOf(options: Wrapping, job: string, event: Event): Event {
  const row = options.journal.jobs.find('node', job)
  const opening = row && readOpening(row.opening)
  return opening?.wrapped ? wrapFor(options, opening.request.pubkey, event) : event
}

/** Publishes a kept event, as `carry` packs it where it may not be seen, and notes when a relay has taken it. Never rejects. */
export async function offer(
  relays: Relays,
  journal: Journal,
  event: Event,
  keepMs: number,
  carry = () => event,
): Promise<void> {
  try {
    const done = await relays.publish(carry(), { want: 1, keepMs })
    if (done.accepted > 0) journal.outbox.taken(event.id)
  } catch {
    // A journal that was closed meanwhile: the next life offers it again.
  }
}
