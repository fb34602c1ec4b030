/**
 * What a node says about one job: written by its kind, sealed as the request was sealed, signed, and kept, so that a
 * repetition is the same bytes.
 * @module
 */
import type { Encrypt, Event, Feedback, Kind, TextResult } from '../../kinds/index.ts'
import { feedback, frame, textResult } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import type { Clock } from '../clock.ts'
import { seconds } from '../clock.ts'
import type { Keys } from '../keys.ts'

export interface SpeechOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly secret: Uint8Array
  readonly clock: Clock
  /** The job request as it came. */
  readonly request: Event
  /** Encrypts to the customer, in the scheme of the request; absent when the request was plain. */
  readonly encrypt?: Encrypt
  /** Milliseconds for which an undelivered event is offered again to relays that come back. */
  readonly keepMs: number
}

export interface Speech {
  feedback(value: Omit<Feedback, 'job' | 'customer'>): Event
  result(value: Pick<TextResult, 'text' | 'msats' | 'bolt11' | 'model' | 'usage'>): Event
  frame(seq: number, text: string): Event
  /** Publishes the last words again: same bytes, and not within seconds of the last time. */
  repeat(): void
}

/** The same request comes from every relay, and again after an outage: that alone is no reason to say it all again. */
const repeatMs = 10_000
/** A refusal is worth offering again for as long as its reader waits, not longer. */
const refusalKeepMs = 30_000
/** A request above this is named by id only: copied into the answer it would not fit a relay's 64 KiB. */
const copyBytes = 12_000

export function openSpeech(options: SpeechOptions): Speech {
  const { relays, request, keepMs } = options
  const customer = request.pubkey
  let last: Event[] = []
  let saidMs = 0

  function send<V>(kind: Kind<V>, value: V, keep: number): Event {
    const template = kind.write(value, seconds(options.clock), options.encrypt)
    const event = options.keys.sign(template, options.secret)
    // A relay's refusal is its own business: the other relays and the customer's next question are the remedy.
    saidMs = options.clock.now()
    void relays.publish(event, { want: 1, keepMs: keep })
    return event
  }

  return {
    feedback(value) {
      const event = send(
        feedback,
        { ...value, job: request.id, customer },
        value.status === 'error' ? refusalKeepMs : keepMs,
      )
      if (value.status !== 'partial') last = value.status === 'processing' ? [...last, event].slice(-2) : [event]
      return event
    },
    result(value) {
      const text = JSON.stringify(request)
      const copy = text.length <= copyBytes ? { request: text } : {}
      const event = send(textResult, { ...value, ...copy, job: request.id, customer, status: 'success' }, keepMs)
      last = [event]
      return event
    },
    frame: (seq, text) => send(frame, { job: request.id, to: customer, seq, text }, 0),
    repeat() {
      if (options.clock.now() - saidMs < repeatMs) return
      saidMs = options.clock.now()
      for (const event of last) void relays.publish(event, { want: 1, keepMs })
    },
  }
}
