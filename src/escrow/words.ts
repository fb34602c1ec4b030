/**
 * Words about held money on their way: signed by who says them, wrapped for who hears them, so that relays learn nothing.
 * @module
 */
import { addressedTo, type EscrowWord, type Event, ephemeralWrap, escrowWord } from '../../kinds/index.ts'
import type { Listening, Relays } from '../../relays/relay.ts'
import { type Clock, seconds } from '../clock.ts'
import { openIntake } from '../intake.ts'
import type { Keys } from '../keys.ts'
import { openSeal, SealError, wrapEvent } from '../seal.ts'

export interface WordsOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly secret: Uint8Array
  readonly clock: Clock
}

/** A word that was heard: its author signed it for us. */
export interface Heard {
  readonly from: string
  readonly word: EscrowWord
}

export interface Words {
  readonly pubkey: string
  /** Resolves when words can be heard. */
  readonly live: Promise<void>
  sign(word: EscrowWord): Event
  /** Sends a signed word in a fresh wrap; the same bytes inside each time. To what is no key, nothing is sent. Never rejects. */
  send(signed: Event, to: string): Promise<void>
  close(): void
}

/** Largest signed word as JSON, in bytes: in a wrap it still fits into the 65,536 bytes that relays take by default. */
export const maxWordBytes = 40_960
const keepMs = 10_000
/** Wraps of strangers that are opened. */
const total = { perMinute: 6_000, burst: 1_200 }

/** Hears and says escrow words for one key. */
export function openWords(options: WordsOptions, onWord: (heard: Heard) => void): Words {
  const { relays, keys, secret, clock } = options
  const pubkey = keys.publicKey(secret)
  const seal = openSeal({ keys, secret, cacheSize: 1 })
  const { admit } = openIntake({ verify: keys.signed, clock, kinds: [ephemeralWrap.number], me: pubkey, total })

  const opened = (wrap: Event): string | undefined => {
    try {
      return seal.decrypt(wrap.pubkey, wrap.content)
    } catch {
      return undefined
    }
  }

  function onWrap(event: Event) {
    const text = opened(event)
    const wrap = text === undefined ? undefined : ephemeralWrap.read(event, text)
    if (!wrap?.ok || wrap.value.event.kind !== escrowWord.number || !keys.verify(wrap.value.event)) return
    const read = escrowWord.read(wrap.value.event)
    if (read.ok && read.value.to === pubkey) onWord({ from: wrap.value.event.pubkey, word: read.value })
  }

  const listening: Listening = relays.listen([addressedTo([pubkey], [ephemeralWrap.number])], {
    admit,
    onEvent: onWrap,
  })
  return {
    pubkey,
    live: listening.live,
    sign: word => keys.sign(escrowWord.write(word, seconds(clock)), secret),
    async send(signed, to) {
      let wrap: Event
      try {
        wrap = wrapEvent(keys, signed, to, seconds(clock))
      } catch (error) {
        // A customer may name anything as its verifier, also what is no key.
        if (error instanceof SealError) return
        throw error
      }
      await relays.publish(wrap, { want: 1, keepMs })
    },
    close: () => listening.close(),
  }
}

/** True where a signed word fits into a wrap that relays take. */
export const fitsWrap = (signed: Event): boolean =>
  new TextEncoder().encode(JSON.stringify(signed)).length <= maxWordBytes
