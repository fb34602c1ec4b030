/**
 * NIP-04 payloads: AES-256-CBC, not authenticated, kept because half of the data vending machines still write it.
 * @module
 */
import { decrypt, encrypt } from 'nostr-tools/nip04'
import { nodeCrypto } from '../hash.ts'
import { SealError } from './error.ts'

const shape = /^([A-Za-z0-9+/]+={0,2})\?iv=([A-Za-z0-9+/]{22}==)$/

/** True for a payload that says it is NIP-04. */
export const isNip04 = (payload: string): boolean => payload.includes('?iv=')

/** What both ways need: `common` is the x coordinate of the common point, asked for only where node:crypto is. */
export interface Nip04Keys {
  readonly secret: Uint8Array
  readonly peer: string
  common(): Uint8Array
}

export function sealNip04(keys: Nip04Keys, text: string): string {
  if (!nodeCrypto) return encrypt(keys.secret, keys.peer, text)
  const iv = nodeCrypto.randomBytes(16)
  const cipher = nodeCrypto.createCipheriv('aes-256-cbc', keys.common(), iv)
  const hidden = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return `${hidden.toString('base64')}?iv=${iv.toString('base64')}`
}

/** Throws `SealError`. Without a MAC, a foreign payload may also open into nonsense: judge the text, not the success. */
export function openNip04(keys: Nip04Keys, payload: string): string {
  const [, hidden, iv] = shape.exec(payload) ?? []
  if (hidden === undefined || iv === undefined) throw new SealError('malformed', 'the payload is no NIP-04 payload')
  try {
    if (!nodeCrypto) return decrypt(keys.secret, keys.peer, payload)
    const cipher = nodeCrypto.createDecipheriv('aes-256-cbc', keys.common(), Buffer.from(iv, 'base64'))
    const text = Buffer.concat([cipher.update(Buffer.from(hidden, 'base64')), cipher.final()])
    return new TextDecoder().decode(text)
  } catch (error) {
    if (error instanceof SealError) throw error
    throw new SealError('padding', 'the payload was altered or is meant for other keys')
  }
}
