/**
 * Keys as people write them (NIP-19), read once into hex or bytes.
 * @module
 */
import { decode, npubEncode, nsecEncode } from 'nostr-tools/nip19'
import { fromHex } from '../hash.ts'
import { isHex64 } from './copy.ts'

const order = fromHex('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141')

/** True for 32 bytes between 1 and the order of the curve. */
export function isSecret(value: unknown): value is Uint8Array {
  if (!(value instanceof Uint8Array) || value.length !== 32 || value.every(byte => byte === 0)) return false
  for (let i = 0; i < 32; i++) {
    const [ours = 0, limit = 0] = [value[i], order[i]]
    if (ours !== limit) return ours < limit
  }
  return false
}

function decoded(text: string): ReturnType<typeof decode> | undefined {
  try {
    return decode(text.replace(/^nostr:/, ''))
  } catch {
    return undefined
  }
}

/** Reads `nsec1…` or 64 hex digits. The error never repeats what was given: it may be a secret with a slip in it. */
export function secretFromText(text: string): Uint8Array {
  const given = text.trim()
  const found = decoded(given)
  if (found && found.type !== 'nsec')
    throw new Error(`this is ${found.type}, not a secret key: give nsec1… or 64 hex digits`)
  const secret = found ? found.data : isHex64(given.toLowerCase()) ? fromHex(given.toLowerCase()) : undefined
  if (!isSecret(secret)) throw new Error('this is no secret key: give nsec1… or 64 hex digits')
  return secret
}

/** Reads `npub1…`, `nprofile1…` or 64 hex digits (any of them after `nostr:`) into 64 lower-case hex digits. */
export function pubkeyFromText(text: string): string {
  const given = text.trim()
  const hex = given.toLowerCase()
  if (isHex64(hex)) return hex
  const found = decoded(given)
  if (found?.type === 'npub') return found.data
  if (found?.type === 'nprofile') return found.data.pubkey
  if (/^(nostr:)?nsec1/.test(hex))
    throw new Error('this is a SECRET key (nsec1…): show it to nobody and give npub1… instead')
  const shown = given.length > 12 ? `${given.slice(0, 12)}…` : given
  throw new Error(`"${shown}" is no public key: give npub1…, nprofile1… or 64 hex digits`)
}

/** An event as people name it, and the relays that it may be on, as far as that says. */
export interface NamedEvent {
  readonly id: string
  readonly relays: readonly string[]
}

/** Reads `note1…`, `nevent1…` or 64 hex digits (any of them after `nostr:`). */
export function eventFromText(text: string): NamedEvent {
  const given = text.trim()
  const bare = given.toLowerCase().replace(/^nostr:/, '')
  if (bare.startsWith('nsec1'))
    throw new Error('this is a SECRET key (nsec1…): show it to nobody and give the id of an event instead')
  if (isHex64(bare)) return { id: bare, relays: [] }
  const found = decoded(given)
  if (found?.type === 'note') return { id: found.data, relays: [] }
  if (found?.type === 'nevent') return { id: found.data.id, relays: found.data.relays ?? [] }
  const shown = given.length > 12 ? `${given.slice(0, 12)}…` : given
  throw new Error(`"${shown}" is no event: give note1…, nevent1… or 64 hex digits`)
}

/** `npub1…` of a public key in hex. */
export const npub = (pubkey: string): string => npubEncode(pubkey)

/** `nsec1…` of a secret, for the one place that shows a new key to its owner. */
export const nsec = (secret: Uint8Array): string => nsecEncode(secret)
