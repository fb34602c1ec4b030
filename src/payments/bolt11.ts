/**
 * Reads and writes Lightning invoices (BOLT 11): the only reader of invoices of this house. Recovery of a signature
 * always yields some key, so an invoice is worth no more than the comparison of `payee` with a key that was announced.
 * @module
 */
import * as secp from '@noble/secp256k1'
import { bech32 } from '@scure/base'
import { type Fallback, FieldFault, type RouteHop, readFields, writeFields } from './bolt11-fields.ts'
import { bytesToWords, numberToWords, wordsToBytes, wordsToNumber } from './bolt11-words.ts'
import { fromHex, hmacSha256, sha256, toHex } from './hash.ts'
import type { Network } from './payment.ts'

export type { Fallback, RouteHop } from './bolt11-fields.ts'

/** An invoice whose checksum and signature hold. Times are unix seconds, hashes and keys hex. */
export interface Invoice {
  /** The invoice itself in lower case, without `lightning:`. */
  readonly bolt11: string
  readonly network: Network
  /** Absent when the payer may choose the amount. */
  readonly msats?: bigint
  readonly hash: string
  readonly secret: string
  /** Node key of the payee (33 bytes): field `n`, or recovered from the signature. */
  readonly payee: string
  readonly description?: string
  readonly descriptionHash?: string
  readonly timestamp: number
  readonly expirySeconds: number
  readonly expiresAt: number
  readonly minFinalCltvDelta: number
  readonly features: readonly number[]
  readonly routeHints: readonly (readonly RouteHop[])[]
  readonly fallbacks: readonly Fallback[]
  readonly metadata?: string
}

/** Why a string is no invoice: one rule id and one sentence. */
export interface InvoiceRefusal {
  readonly ok: false
  readonly rule: string
  readonly says: string
}

export type InvoiceRead = { readonly ok: true; readonly invoice: Invoice } | InvoiceRefusal

/** What `writeInvoice` is told. Exactly one of `description` and `descriptionHash`. */
export interface InvoiceFields {
  readonly network: Network
  readonly msats?: bigint
  readonly hash: string
  readonly secret: string
  readonly timestamp: number
  readonly description?: string
  readonly descriptionHash?: string
  readonly expirySeconds?: number
  readonly minFinalCltvDelta?: number
  /** Bit numbers; default is what a payment secret needs (8 and 14). */
  readonly features?: readonly number[]
  readonly routeHints?: readonly (readonly RouteHop[])[]
  readonly fallbacks?: readonly Fallback[]
  readonly metadata?: string
  /** Writes the payee's key out as field `n`, which pins it instead of leaving it to recovery. */
  readonly namesPayee?: boolean
}

secp.hashes.sha256 = sha256
secp.hashes.hmacSha256 = hmacSha256

const PREFIXES: Readonly<Record<Network, string>> = {
  mainnet: 'bc',
  testnet: 'tb',
  signet: 'tbs',
  regtest: 'bcrt',
  simnet: 'sb',
}
const NETWORKS = new Map(Object.entries(PREFIXES).map(([network, prefix]) => [prefix, network as Network]))
const MSATS_PER_UNIT = [
  ['', 100_000_000_000n],
  ['m', 100_000_000n],
  ['u', 100_000n],
  ['n', 100n],
] as const
/** All the bitcoin that there will ever be. */
const MAX_MSATS = 2_100_000_000_000_000_000n
/** What one QR code holds, which bounds the work that a stranger can ask for. */
const MAX_CHARACTERS = 7089
const TIMESTAMP_WORDS = 7
const SIGNATURE_WORDS = 104
const DEFAULT_EXPIRY_SECONDS = 3600
const DEFAULT_FINAL_CLTV = 18
/** Even bits that a payer may meet: onion, payment secret, multi-part payment, payment metadata (BOLT 9). */
const KNOWN_REQUIRED = new Set([8, 14, 16, 48])

const MAX_RECENT = 64
/** Guard, wallet and verifier read the same invoice within a moment; recovering the key is the price of reading. */
const recent = new Map<string, Invoice>()

/** Reads an invoice, with or without `lightning:` in front. Never throws. */
export function readInvoice(text: string): InvoiceRead {
  const known = recent.get(text)
  if (known) return { ok: true, invoice: known }
  try {
    const invoice = Object.freeze(read(text))
    recent.set(text, invoice)
    for (const oldest of recent.keys()) if (recent.size > MAX_RECENT) recent.delete(oldest)
    return { ok: true, invoice }
  } catch (error) {
    return refused(error)
  }
}

function refused(error: unknown): InvoiceRefusal {
  if (error instanceof FieldFault) return { ok: false, rule: error.rule, says: error.message }
  throw error
}

/** What an invoice says before anybody asks who signed it: to be shown or refused early, never to be paid. */
export type InvoicePeek = { readonly ok: true; readonly invoice: Omit<Invoice, 'payee'> } | InvoiceRefusal

/** Reads everything but the signature, which is nearly all of the time that reading takes. Never throws. */
export function peekInvoice(text: string): InvoicePeek {
  try {
    return { ok: true, invoice: parse(text).said }
  } catch (error) {
    return refused(error)
  }
}

/** Writes and signs an invoice in canonical form. Throws `TypeError` for fields that `readInvoice` would refuse. */
export function writeInvoice(fields: InvoiceFields, secretKey: Uint8Array): string {
  const { expirySeconds, minFinalCltvDelta, timestamp } = fields
  for (const seconds of [expirySeconds ?? 0, minFinalCltvDelta ?? 0])
    if (!Number.isInteger(seconds) || seconds < 0 || seconds > 0xffff_ffff)
      throw new TypeError('expirySeconds and minFinalCltvDelta are whole numbers of at most 32 bits.')
  if (!Number.isInteger(timestamp) || timestamp < 0 || timestamp >= 2 ** 35)
    throw new TypeError('timestamp is whole unix seconds of at most 35 bits.')
  const prefix = `ln${PREFIXES[fields.network]}${fields.msats === undefined ? '' : writeAmount(fields.msats)}`
  const tagged = writeFields({
    ...fields,
    features: fields.features ?? [8, 14],
    routeHints: fields.routeHints ?? [],
    fallbacks: fields.fallbacks ?? [],
    ...(fields.namesPayee ? { nodeKey: nodeKeyOf(secretKey) } : {}),
  })
  refuseUnreadable(tagged, fields)
  const words = [...numberToWords(timestamp, TIMESTAMP_WORDS), ...tagged]
  const signed = secp.sign(signedHash(prefix, words), secretKey, { prehash: false, format: 'recovered' })
  const signature = new Uint8Array(65)
  signature.set(signed.subarray(1))
  signature[64] = signed[0] ?? 0
  const text = bech32.encode(prefix, [...words, ...bytesToWords(signature)], false)
  if (text.length > MAX_CHARACTERS) throw new TypeError(`An invoice holds at most ${MAX_CHARACTERS} characters.`)
  return text
}

/** Node key (33 bytes hex) of a secret key. */
export const nodeKeyOf = (secretKey: Uint8Array): string => toHex(secp.getPublicKey(secretKey, true))

function read(text: unknown): Invoice {
  const { said, signature, hash, nodeKey } = parse(text)
  return { ...said, payee: payeeOf(signature, hash, nodeKey) }
}

interface Parsed {
  readonly said: Omit<Invoice, 'payee'>
  readonly signature: Uint8Array
  /** What the signature is over. */
  readonly hash: Uint8Array
  readonly nodeKey: string | undefined
}

function parse(text: unknown): Parsed {
  if (typeof text !== 'string') throw new FieldFault('not-text', 'An invoice is text.')
  const bare = /^lightning:/i.test(text) ? text.slice('lightning:'.length) : text
  if (bare.length > MAX_CHARACTERS)
    throw new FieldFault('too-long', `An invoice has at most ${MAX_CHARACTERS} characters.`)
  const { prefix, words } = unpack(bare)
  const head = readPrefix(prefix)
  if (words.length < TIMESTAMP_WORDS + SIGNATURE_WORDS) throw new FieldFault('too-short', 'The invoice is cut off.')
  const data = words.slice(0, -SIGNATURE_WORDS)
  const { nodeKey, ...fields } = readFields(data.slice(TIMESTAMP_WORDS))
  refuseUnknownFeatures(fields.features)
  const timestamp = wordsToNumber(data.slice(0, TIMESTAMP_WORDS))
  const expirySeconds = fields.expirySeconds ?? DEFAULT_EXPIRY_SECONDS
  const said = {
    bolt11: bare.toLowerCase(),
    ...head,
    ...fields,
    timestamp,
    expirySeconds,
    expiresAt: timestamp + expirySeconds,
    minFinalCltvDelta: fields.minFinalCltvDelta ?? DEFAULT_FINAL_CLTV,
  }
  const signature = wordsToBytes(words.slice(-SIGNATURE_WORDS)).bytes
  return { said, signature, hash: signedHash(prefix, data), nodeKey }
}

function refuseUnknownFeatures(features: readonly number[]): void {
  const unknown = features.find(bit => bit % 2 === 0 && !KNOWN_REQUIRED.has(bit))
  if (unknown !== undefined)
    throw new FieldFault('unknown-feature', `The invoice requires feature ${unknown}, which is not known here.`)
}

function refuseUnreadable(tagged: readonly number[], fields: InvoiceFields): void {
  try {
    const again = readFields(tagged)
    refuseUnknownFeatures(again.features)
    if (again.fallbacks.length === (fields.fallbacks ?? []).length) return
  } catch (cause) {
    throw new TypeError(`No reader would accept this invoice. ${(cause as Error).message}`, { cause })
  }
  throw new TypeError('A fallback has an unknown version or a program of an impossible length.')
}

function unpack(text: string): { prefix: string; words: number[] } {
  const unpacked = bech32.decodeUnsafe(text, false)
  if (!unpacked) throw new FieldFault('bech32', 'The invoice is no bech32 text, or a character of it is wrong.')
  return unpacked
}

function readPrefix(prefix: string): { network: Network; msats?: bigint } {
  const match = /^ln(bcrt|bc|tbs|tb|sb)(?:([1-9]\d{0,19})([munp]?))?$/.exec(prefix)
  const network = NETWORKS.get(match?.[1] ?? '')
  if (!match || !network)
    throw new FieldFault('prefix', 'The invoice starts with an unknown network, amount or multiplier.')
  if (match[2] === undefined) return { network }
  const count = BigInt(match[2])
  const multiplier = match[3] ?? ''
  if (multiplier === 'p' && count % 10n !== 0n)
    throw new FieldFault('sub-millisatoshi', 'The amount is not a whole number of millisatoshis.')
  const unit = MSATS_PER_UNIT.find(([letter]) => letter === multiplier)?.[1]
  const msats = unit === undefined ? count / 10n : count * unit
  if (msats > MAX_MSATS) throw new FieldFault('amount', 'The amount is more than all bitcoin.')
  return { network, msats }
}

function writeAmount(msats: bigint): string {
  if (msats <= 0n || msats > MAX_MSATS) throw new TypeError('msats is more than 0 and at most all bitcoin.')
  for (const [letter, unit] of MSATS_PER_UNIT) if (msats % unit === 0n) return `${msats / unit}${letter}`
  return `${msats * 10n}p`
}

/** What is signed: the prefix as text, then the words as bytes padded with zero bits. */
function signedHash(prefix: string, words: readonly number[]): Uint8Array {
  const head = new TextEncoder().encode(prefix)
  const { bytes, spare } = wordsToBytes(words)
  const spareBits = (words.length * 5) % 8
  const whole = new Uint8Array(head.length + bytes.length + (spareBits > 0 ? 1 : 0))
  whole.set(head)
  whole.set(bytes, head.length)
  if (spareBits > 0) whole[whole.length - 1] = spare << (8 - spareBits)
  return sha256(whole)
}

/**
 * With field `n` the signature must be canonical (low S) and hold for that key. Without it the key is recovered, high S
 * included; a recovered key fulfils the signature by construction, so it is not verified a second time.
 */
function payeeOf(signature: Uint8Array, hash: Uint8Array, nodeKey: string | undefined): string {
  const compact = signature.subarray(0, 64)
  const recovery = signature[64] ?? 4
  if (recovery > 3) throw new FieldFault('signature', 'The recovery id of the signature is not 0 to 3.')
  if (nodeKey !== undefined) {
    if (secp.verify(compact, hash, fromHex(nodeKey), { prehash: false, lowS: true })) return nodeKey
    throw new FieldFault('signature', 'The signature is not that of the node key that the invoice names.')
  }
  const recovered = new Uint8Array(65)
  recovered[0] = recovery
  recovered.set(compact, 1)
  try {
    return toHex(secp.recoverPublicKey(recovered, hash, { prehash: false }))
  } catch {
    throw new FieldFault('signature', 'No key can be recovered from the signature.')
  }
}
