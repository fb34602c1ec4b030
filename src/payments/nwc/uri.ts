/**
 * Reads and writes `nostr+walletconnect://` strings. Such a string is a licence to spend: the secret is kept out of
 * every message, log and JSON that this file has a hand in.
 * @module
 */
import { fromHex, toHex } from '../hash.ts'

/** One NIP-47 connection as the client holds it. `secret` (32 bytes) is not enumerable: printing or serialising hides it. */
export interface NwcUri {
  /** Public key of the wallet service, hex. */
  readonly wallet: string
  readonly relays: readonly string[]
  readonly secret: Uint8Array
  readonly lud16?: string
}

/**
 * Reads a connection string as wallets hand it out: also `nostrwalletconnect:`, missing slashes, capitals in hex,
 * unescaped relays, spaces around. Throws an `Error` that says what to do and never repeats the string.
 */
export function readNwcUri(text: string): NwcUri {
  if (typeof text !== 'string' || text.length > 8_192) throw wrong('it is no text of at most 8,192 characters')
  const found = /^nostr\+?walletconnect:(?:\/\/)?([^/?#]+)\/?\?([^#]*)(?:#.*)?$/i.exec(text.trim())
  if (!found) throw wrong('it does not look like nostr+walletconnect://<wallet key>?relay=…&secret=…')
  const wallet = (found[1] ?? '').toLowerCase()
  if (wallet.startsWith('npub')) throw wrong('the wallet key must be 64 hex digits, not an npub')
  if (!HEX64.test(wallet)) throw wrong('the wallet key is not 64 hex digits')
  const fields = new URLSearchParams(found[2])
  const secret = (fields.get('secret') ?? '').toLowerCase()
  if (secret.startsWith('nsec')) throw wrong('the secret must be 64 hex digits, not an nsec')
  if (!HEX64.test(secret) || /^0+$/.test(secret)) throw wrong('the secret is not 64 hex digits')
  const relays = [...new Set(fields.getAll('relay').map(relay => relay.trim()))]
  if (relays.length === 0) throw wrong('it names no relay')
  if (relays.length > 16) throw wrong('it names more than 16 relays')
  for (const relay of relays) if (!isRelay(relay)) throw wrong('a relay in it is no ws:// or wss:// address')
  const lud16 = fields.get('lud16')
  return nwcUri({ wallet, relays, secret: fromHex(secret), ...(lud16 && { lud16 }) })
}

/** The same connection with its secret kept from printing. */
export function nwcUri(uri: NwcUri): NwcUri {
  const { secret, ...shown } = uri
  return Object.freeze(Object.defineProperty({ ...shown }, 'secret', { value: secret, enumerable: false })) as NwcUri
}

/** The strict spelling that every known client reads: hex, slashes, each relay escaped. Throws `TypeError` for what its own reader refuses. */
export function writeNwcUri(uri: NwcUri): string {
  const relays = uri.relays.map(relay => `relay=${encodeURIComponent(relay)}`).join('&')
  const lud16 = uri.lud16 ? `&lud16=${encodeURIComponent(uri.lud16)}` : ''
  const text = `nostr+walletconnect://${uri.wallet}?${relays}&secret=${toHex(uri.secret)}${lud16}`
  try {
    readNwcUri(text)
  } catch (error) {
    throw new TypeError(error instanceof Error ? error.message : 'no wallet connection')
  }
  return text
}

const HEX64 = /^[0-9a-f]{64}$/

const wrong = (why: string): Error =>
  new Error(`This is no usable wallet connection: ${why}. Copy the string again from your wallet.`)

function isRelay(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && (url.protocol === 'ws:' || url.protocol === 'wss:') && url.username === '' && url.hash === ''
}
