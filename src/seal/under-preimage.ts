/**
 * A text that paying opens: AES-256-GCM under a key made of a Lightning preimage, with the digest of the text beside it.
 * Runs in a browser (WebCrypto).
 * @module
 */
import { type Event, isSealed, type SealedUnder, textResult } from '../../kinds/index.ts'
import { fromHex, hmacSha256, sha256Hex } from '../hash.ts'
import { SealError } from './error.ts'
import { codecFor } from './nip44.ts'

/** A sealed text (base64 of a 12-byte nonce and the ciphertext), the payment hash that it is under, and its digest. */
export interface Sealed extends SealedUnder {
  readonly content: string
}

/**
 * `preimage`: this is not what opens the hash, nothing was learned. `ciphertext`: the right preimage does not open the
 * text. `digest`: it opens to another text than was promised. The last two are the sealer's fault.
 */
export type Unsealed =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly rule: 'preimage' | 'ciphertext' | 'digest'; readonly says: string }

const nonceBytes = 12
const tagBytes = 16
/** The most characters of a text that is sealed so. */
export const MOST_UNDER_CHARS = 524_288

/** Seals a text under a preimage (32 bytes hex). `nonce` is for test vectors only: 12 fresh random bytes otherwise. */
export async function sealUnder(
  preimage: string,
  plain: string,
  nonce: Uint8Array<ArrayBuffer> = crypto.getRandomValues(new Uint8Array(nonceBytes)),
): Promise<Sealed> {
  if (!isHex(preimage)) throw new TypeError('a preimage is 32 bytes as lower-case hex')
  if (!plain.isWellFormed()) throw new SealError('not-text', 'half a surrogate pair has no UTF-8 form')
  const bytes = new TextEncoder().encode(plain)
  const hash = sha256Hex(fromHex(preimage))
  const key = await keyOf(preimage, hash, 'encrypt')
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce }, key, bytes))
  const whole = new Uint8Array(nonceBytes + sealed.length)
  whole.set(nonce)
  whole.set(sealed, nonceBytes)
  const content = toBase64(whole)
  if (content.length > MOST_UNDER_CHARS)
    throw new SealError('too-long', `a sealed text has at most ${MOST_UNDER_CHARS} characters`)
  return { content, hash, digest: sha256Hex(bytes) }
}

/** Opens what was sealed under a preimage. Never rejects for what a stranger sent. */
export async function openUnder(preimage: string, content: string, under: SealedUnder): Promise<Unsealed> {
  if (!isHex(preimage) || sha256Hex(fromHex(preimage)) !== under.hash)
    return no('preimage', 'The preimage does not open the payment hash of the text.')
  const whole = fromBase64(content)
  if (!whole || whole.length < nonceBytes + tagBytes)
    return no('ciphertext', 'The text is not base64 of a nonce and a ciphertext.')
  const key = await keyOf(preimage, under.hash, 'decrypt')
  const iv = whole.slice(0, nonceBytes)
  let plain: ArrayBuffer
  try {
    plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, whole.slice(nonceBytes))
  } catch {
    return no('ciphertext', 'The preimage does not open the text.')
  }
  if (sha256Hex(new Uint8Array(plain)) !== under.digest)
    return no('digest', 'The text is not the one whose digest was promised.')
  try {
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plain) }
  } catch {
    return no('ciphertext', 'What the preimage opens is no text.')
  }
}

/** A signed result, the preimage that the payment revealed, and what opens its outer seal where it has one. */
export interface SealedEvidence {
  readonly result: Event
  readonly preimage: string
  /** NIP-44 conversation key of provider and customer, 32 bytes hex. */
  readonly conversationKey?: string
}

/** `fault`: the author of the result sold garbage, and these bytes prove it to anybody. `unproven`: they prove nothing. */
export interface SealedVerdict {
  readonly verdict: 'kept' | 'fault' | 'unproven'
  /** Author of the result and its job; absent where the result itself proves nothing. */
  readonly provider?: string
  readonly job?: string
  /** Which check decided: of this file, or of `kinds/`. `kept` where all held. */
  readonly rule: string
  readonly says: string
}

/**
 * Whether a paid result held what was sold. Depends on nothing but the evidence and BIP-340: everybody who asks gets the
 * same answer. `verify` checks id and signature.
 */
export async function judgeSealed(
  { result, preimage, conversationKey }: SealedEvidence,
  verify: (event: Event) => boolean,
): Promise<SealedVerdict> {
  if (!verify(result))
    return { verdict: 'unproven', rule: 'signature', says: 'The result is not what its author signed.' }
  const opened = isSealed(result) ? openConversation(conversationKey, result.content) : undefined
  if (isSealed(result) && opened === undefined)
    return { verdict: 'unproven', rule: 'sealed', says: 'The conversation key does not open the result.' }
  const read = textResult.read(result, opened)
  if (!read.ok) return { verdict: 'unproven', rule: read.rule, says: read.says }
  const { job, text, sealedUnder, chunked } = read.value
  const about = { provider: result.pubkey, job }
  if (!sealedUnder) return { verdict: 'unproven', ...about, rule: 'plain', says: 'The result is under no preimage.' }
  if (chunked !== undefined)
    return {
      verdict: 'unproven',
      ...about,
      rule: 'chunked',
      says: 'The text is in chunks, which are no part of these events.',
    }
  const found = await openUnder(preimage, text, sealedUnder)
  if (found.ok) return { verdict: 'kept', ...about, rule: 'kept', says: 'The text is the one that was promised.' }
  return { verdict: found.rule === 'preimage' ? 'unproven' : 'fault', ...about, rule: found.rule, says: found.says }
}

/** Text of a NIP-44 payload by its conversation key alone; `undefined` where the key is none or not the right one. */
export function openConversation(conversationKey: string | undefined, payload: string): string | undefined {
  if (!isHex(conversationKey) || payload.length > MOST_UNDER_CHARS) return undefined
  try {
    return codecFor((payload.length / 4) * 3).open(fromHex(conversationKey), payload)
  } catch (error) {
    if (error instanceof SealError) return undefined
    throw error
  }
}

const isHex = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
const no = (rule: 'preimage' | 'ciphertext' | 'digest', says: string): Unsealed => ({ ok: false, rule, says })

/** HKDF-SHA256 (RFC 5869): input the preimage, salt the payment hash, 32 bytes for this purpose. */
function keyOf(preimage: string, hash: string, use: 'encrypt' | 'decrypt') {
  const extracted = hmacSha256(fromHex(hash), fromHex(preimage))
  const key = hmacSha256(extracted, new TextEncoder().encode('gridstr result'), Uint8Array.of(1))
  return crypto.subtle.importKey('raw', key, 'AES-GCM', false, [use])
}

function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length > MOST_UNDER_CHARS || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  return Uint8Array.from(atob(text), letter => letter.charCodeAt(0))
}
