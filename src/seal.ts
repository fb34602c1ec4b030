/**
 * Texts for one reader: NIP-44 version 2, and NIP-04 for those who know nothing else. Nothing here says who may be
 * trusted: verify the event before opening what is in it.
 * @module
 */
import { type Event, ephemeralWrap } from '../kinds/index.ts'
import { lru } from './bounded.ts'
import { randomBytes } from './keys/curve.ts'
import type { Keys } from './keys.ts'
import { SealError } from './seal/error.ts'
import { isNip04, openNip04, sealNip04 } from './seal/nip04.ts'
import { codecFor, conversationKey, payloadChars } from './seal/nip44.ts'

export { type SealCode, SealError } from './seal/error.ts'
export { payloadChars } from './seal/nip44.ts'

/** One person's sealing and opening. `peer` is the other's public key in hex. Both throw `SealError`. */
export interface Seal {
  encrypt(peer: string, text: string, scheme?: 'nip44' | 'nip04'): string
  /** Either scheme, told by the shape of the payload. */
  decrypt(peer: string, payload: string): string
}

export interface SealOptions {
  keys: Pick<Keys, 'shared'>
  /** Copied: the caller may wipe its own. */
  secret: Uint8Array
  /** Conversation keys to remember. Default 1,000. */
  cacheSize?: number
  /** Largest text to open, in bytes. Default 1 MiB. */
  maxPlainBytes?: number
}

/**
 * Largest text that is written, in bytes. NIP-44 allows more since 2026, but its longer form cannot be read by programs
 * of before (rust-nostr refuses from here on).
 */
export const maxSealedBytes = 65_408

export function openSeal(options: SealOptions): Seal {
  const { keys, cacheSize = 1000, maxPlainBytes = 1_048_576 } = options
  const secret = options.secret.slice()
  const conversations = lru<string, Uint8Array>(cacheSize)
  const maxChars = payloadChars(maxPlainBytes)

  const common = (peer: string): Uint8Array => {
    try {
      return keys.shared(secret, peer)
    } catch (error) {
      if (error instanceof RangeError) throw new SealError('peer', 'the other public key is no key')
      throw error
    }
  }
  const conversation = (peer: string): Uint8Array => {
    const known = conversations.get(peer)
    if (known) return known
    const key = conversationKey(common(peer))
    conversations.set(peer, key)
    return key
  }
  const nip04 = (peer: string) => ({ secret, peer, common: () => common(peer) })

  return {
    encrypt(peer, text, scheme = 'nip44') {
      const bytes = writable(text)
      if (scheme === 'nip04') return sealNip04(nip04(peer), text)
      return codecFor(bytes).seal(conversation(peer), text, randomBytes(32))
    },
    decrypt(peer, payload) {
      if (payload.length > maxChars)
        throw new SealError('too-long', `the payload has ${payload.length} characters, ${maxChars} are read at most`)
      if (isNip04(payload)) return openNip04(nip04(peer), payload)
      return codecFor((payload.length / 4) * 3).open(conversation(peer), payload)
    },
  }
}

/** Bytes of a text that may be sealed. */
function writable(text: string): number {
  if (text === '') throw new SealError('empty', 'an empty text cannot be sealed')
  const bytes = text.length > maxSealedBytes ? text.length : new TextEncoder().encode(text).length
  if (bytes > maxSealedBytes)
    throw new SealError(
      'too-long',
      `a text of ${bytes} bytes or more cannot be sealed in one event: ${maxSealedBytes} is the most that every reader opens, send it in chunks`,
    )
  if (!text.isWellFormed())
    throw new SealError('not-text', 'half a surrogate pair has no UTF-8 form and cannot be sealed')
  return bytes
}

/**
 * Content of a gift wrap around one signed event (NIP-59, the ephemeral kind), and the one-time secret that must sign
 * the wrap. Throws `SealError`, `too-long` above {@link maxSealedBytes} of JSON.
 */
export function wrapContent(
  keys: Pick<Keys, 'shared' | 'newSecret'>,
  event: Event,
  to: string,
): { content: string; secret: Uint8Array } {
  const secret = keys.newSecret()
  return { content: openSeal({ keys, secret, cacheSize: 1 }).encrypt(to, JSON.stringify(event)), secret }
}

/** A signed event on its way to one reader, from a key of one use: who sent it is told only inside. */
export function wrapEvent(
  keys: Pick<Keys, 'shared' | 'newSecret' | 'sign'>,
  event: Event,
  to: string,
  now: number,
): Event {
  const { content, secret } = wrapContent(keys, event, to)
  return keys.sign(
    ephemeralWrap.write({ to, event }, now, () => content),
    secret,
  )
}

/** What is in a gift wrap, as unproven as anything a relay brings. Throws `SealError`. */
export function unwrapContent(seal: Seal, pubkeyOfWrap: string, content: string): unknown {
  const text = seal.decrypt(pubkeyOfWrap, content)
  try {
    return JSON.parse(text)
  } catch {
    throw new SealError('malformed', 'the wrap holds no JSON')
  }
}
