/**
 * The tagged fields of an invoice between 5-bit words and plain values (BOLT 11, "Tagged Fields"). Knows no signature,
 * no prefix and no checksum: that is `bolt11.ts`.
 * @module
 */
import { BECH32_LETTERS, bytesToWords, numberToWords, wordsToBytes, wordsToNumber } from './bolt11-words.ts'
import { fromHex, toHex } from './hash.ts'

/** One hop of a private route: the channel `shortChannelId` out of `nodeKey` (33 bytes hex). */
export interface RouteHop {
  readonly nodeKey: string
  readonly shortChannelId: bigint
  readonly feeBaseMsats: number
  readonly feeProportionalMillionths: number
  readonly cltvExpiryDelta: number
}

/** On-chain fallback: witness version 0 to 16, 17 for P2PKH, 18 for P2SH; `program` is hex. */
export interface Fallback {
  readonly version: number
  readonly program: string
}

/** What the tagged fields say. Hashes, secret and metadata are hex; `features` are bit numbers in ascending order. */
export interface TaggedFields {
  readonly hash: string
  readonly secret: string
  readonly description?: string
  readonly descriptionHash?: string
  readonly metadata?: string
  /** Field `n`: the payee's node key (33 bytes hex) where the invoice writes it out. */
  readonly nodeKey?: string
  readonly expirySeconds?: number
  readonly minFinalCltvDelta?: number
  readonly features: readonly number[]
  readonly routeHints: readonly (readonly RouteHop[])[]
  readonly fallbacks: readonly Fallback[]
}

/** Rule and sentence of the first field that cannot be accepted. */
export class FieldFault extends Error {
  override readonly name = 'FieldFault'
  readonly rule: string
  constructor(rule: string, says: string) {
    super(says)
    this.rule = rule
  }
}

const typeOf = (letter: string): number => BECH32_LETTERS.indexOf(letter)
const [P, S, D, H, M, N, X, C, F, R, FEATURES] = [...'psdhmnxcfr9'].map(typeOf) as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
]
/** A field of these types with any other length is skipped, as the standard demands. */
const FIXED_LENGTH = new Map([
  [P, 52],
  [S, 52],
  [H, 52],
  [N, 53],
])
const ONCE = new Set([P, S, D, H, M, N, X, C, FEATURES])
const HOP_BYTES = 51
const MAX_FIELD_WORDS = 1023

/** Reads the fields that follow the timestamp. Throws `FieldFault`. */
export function readFields(words: readonly number[]): TaggedFields {
  const once = new Map<number, readonly number[]>()
  const routeHints: RouteHop[][] = []
  const fallbacks: Fallback[] = []
  for (let at = 0; at < words.length; ) {
    const [type, high, low] = words.slice(at, at + 3)
    if (type === undefined || high === undefined || low === undefined) throw cut()
    const end = at + 3 + high * 32 + low
    if (end > words.length) throw cut()
    const field = words.slice(at + 3, end)
    at = end
    const fixed = FIXED_LENGTH.get(type)
    if (fixed !== undefined && field.length !== fixed) continue
    if (ONCE.has(type)) {
      // Readers disagree on whether the first or the last of two counts, so one string would mean two things.
      if (once.has(type)) throw new FieldFault('duplicate-field', `Field ${BECH32_LETTERS[type]} appears twice.`)
      once.set(type, field)
    } else if (type === R) routeHints.push(readHops(field))
    else if (type === F) fallbacks.push(...readFallback(field))
  }
  const bytesOf = (type: number): Uint8Array | undefined => {
    const field = once.get(type)
    return field && exactBytes(field, type)
  }
  const hexOf = (type: number): string | undefined => {
    const bytes = bytesOf(type)
    return bytes && toHex(bytes)
  }
  const hash = hexOf(P)
  const secret = hexOf(S)
  if (hash === undefined) throw new FieldFault('no-payment-hash', 'The invoice has no payment hash.')
  if (secret === undefined) throw new FieldFault('no-payment-secret', 'The invoice has no payment secret.')
  const text = bytesOf(D)
  const descriptionHash = hexOf(H)
  if ((text === undefined) === (descriptionHash === undefined))
    throw new FieldFault('description', 'An invoice needs either a description or a description hash.')
  const metadata = hexOf(M)
  const nodeKey = hexOf(N)
  const expirySeconds = numberOf(once.get(X), 'expiry')
  const minFinalCltvDelta = numberOf(once.get(C), 'cltv')
  return {
    hash,
    secret,
    ...(text === undefined ? {} : { description: utf8(text) }),
    ...(descriptionHash === undefined ? {} : { descriptionHash }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(nodeKey === undefined ? {} : { nodeKey }),
    ...(expirySeconds === undefined ? {} : { expirySeconds }),
    ...(minFinalCltvDelta === undefined ? {} : { minFinalCltvDelta }),
    features: featureBits(once.get(FEATURES) ?? []),
    routeHints,
    fallbacks,
  }
}

/** Writes the fields in the order of most examples of the standard. Throws `TypeError` for what no reader could accept. */
export function writeFields(fields: TaggedFields): number[] {
  if ((fields.description === undefined) === (fields.descriptionHash === undefined))
    throw new TypeError('Give an invoice exactly one of description and descriptionHash.')
  const out: number[] = []
  const put = (type: number, words: readonly number[]) => {
    if (words.length > MAX_FIELD_WORDS) throw new TypeError(`Field ${BECH32_LETTERS[type]} holds at most 639 bytes.`)
    out.push(type, words.length >> 5, words.length & 31, ...words)
  }
  const putHex = (type: number, hex: string | undefined, length?: number) => {
    if (hex === undefined) return
    const bytes = fromHex(hex)
    if (length !== undefined && bytes.length !== length)
      throw new TypeError(`Field ${BECH32_LETTERS[type]} is ${length} bytes of hex.`)
    put(type, bytesToWords(bytes))
  }
  putHex(S, fields.secret, 32)
  putHex(P, fields.hash, 32)
  if (fields.description !== undefined) put(D, bytesToWords(new TextEncoder().encode(fields.description)))
  putHex(H, fields.descriptionHash, 32)
  putHex(M, fields.metadata)
  putHex(N, fields.nodeKey, 33)
  if (fields.expirySeconds !== undefined) put(X, numberToWords(fields.expirySeconds))
  if (fields.minFinalCltvDelta !== undefined) put(C, numberToWords(fields.minFinalCltvDelta))
  for (const fallback of fields.fallbacks) put(F, [fallback.version, ...bytesToWords(fromHex(fallback.program))])
  for (const hops of fields.routeHints) put(R, bytesToWords(hopBytes(hops)))
  if (fields.features.length > 0) put(FEATURES, featureWords(fields.features))
  return out
}

const cut = () => new FieldFault('field-length', 'A field is longer than the invoice that holds it.')

function exactBytes(field: readonly number[], type: number): Uint8Array {
  const { bytes, spare } = wordsToBytes(field)
  if (spare !== 0)
    throw new FieldFault('padding', `Field ${BECH32_LETTERS[type]} is padded with something other than zeros.`)
  return bytes
}

function numberOf(field: readonly number[] | undefined, rule: string): number | undefined {
  if (!field) return undefined
  const value = wordsToNumber(field)
  if (value > 0xffff_ffff) throw new FieldFault(rule, `The ${rule} of the invoice is beyond 32 bits.`)
  return value
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new FieldFault('utf8', 'The description is not UTF-8.')
  }
}

function readHops(field: readonly number[]): RouteHop[] {
  const bytes = exactBytes(field, R)
  if (bytes.length === 0 || bytes.length % HOP_BYTES !== 0)
    throw new FieldFault('route-hint', 'A route hint is not made of whole hops.')
  const hops: RouteHop[] = []
  for (let at = 0; at < bytes.length; at += HOP_BYTES) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, HOP_BYTES)
    hops.push({
      nodeKey: toHex(bytes.slice(at, at + 33)),
      shortChannelId: view.getBigUint64(33),
      feeBaseMsats: view.getUint32(41),
      feeProportionalMillionths: view.getUint32(45),
      cltvExpiryDelta: view.getUint16(49),
    })
  }
  return hops
}

function hopBytes(hops: readonly RouteHop[]): Uint8Array {
  const bytes = new Uint8Array(hops.length * HOP_BYTES)
  for (const [index, hop] of hops.entries()) {
    const view = new DataView(bytes.buffer, index * HOP_BYTES, HOP_BYTES)
    bytes.set(fromHex(hop.nodeKey), index * HOP_BYTES)
    view.setBigUint64(33, hop.shortChannelId)
    view.setUint32(41, hop.feeBaseMsats)
    view.setUint32(45, hop.feeProportionalMillionths)
    view.setUint16(49, hop.cltvExpiryDelta)
  }
  return bytes
}

/** One fallback, or none: unknown versions and impossible lengths are skipped, as the standard demands. */
function readFallback(field: readonly number[]): Fallback[] {
  const [version, ...program] = field
  const { bytes, spare } = wordsToBytes(program)
  if (version === undefined || spare !== 0) return []
  const fits =
    version === 17 || version === 18
      ? bytes.length === 20
      : version === 0
        ? bytes.length === 20 || bytes.length === 32
        : version <= 16 && bytes.length >= 2 && bytes.length <= 40
  return fits ? [{ version, program: toHex(bytes) }] : []
}

function featureBits(field: readonly number[]): number[] {
  const bits: number[] = []
  for (let i = 0; i < field.length * 5; i++)
    if (((field[field.length - 1 - Math.floor(i / 5)] ?? 0) >> (i % 5)) & 1) bits.push(i)
  return bits
}

function featureWords(bits: readonly number[]): number[] {
  const words = new Array<number>(Math.floor(Math.max(...bits) / 5) + 1).fill(0)
  for (const bit of bits) {
    const at = words.length - 1 - Math.floor(bit / 5)
    words[at] = (words[at] ?? 0) | (1 << (bit % 5))
  }
  return words
}
