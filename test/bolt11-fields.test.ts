import * as secp from '@noble/secp256k1'
import { bech32 } from '@scure/base'
import { describe, expect, test } from 'vitest'
import { nodeKeyOf, readInvoice } from '../src/payments/bolt11.ts'
import { fromHex, hmacSha256, sha256, sha256Hex } from '../src/payments/hash.ts'

secp.hashes.sha256 = sha256
secp.hashes.hmacSha256 = hmacSha256

const KEY = fromHex(sha256Hex('a node'))
const LETTERS = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const zeros = (count: number) => new Array<number>(count).fill(0)
const field = (letter: string, words: readonly number[]) => [
  LETTERS.indexOf(letter),
  words.length >> 5,
  words.length & 31,
  ...words,
]
const bytes = (...all: number[]) => bech32.toWords(Uint8Array.from(all))
const [hash, secret, description] = [field('p', zeros(52)), field('s', zeros(52)), field('d', bytes(0x78))]
const whole = [...hash, ...secret, ...description]

/** Signs any words at all, so that the checksum and the signature are right and only the fields are judged. */
function signed(fields: readonly number[], recoveryFlip = 0): string {
  const words = [...zeros(7), ...fields]
  const prefix = 'lnbcrt210n'
  const bits = words.flatMap(word => [16, 8, 4, 2, 1].map(bit => (word & bit ? 1 : 0)))
  while (bits.length % 8 > 0) bits.push(0)
  const data = Uint8Array.from({ length: bits.length / 8 }, (_, i) =>
    Number.parseInt(bits.slice(i * 8, i * 8 + 8).join(''), 2),
  )
  const message = new Uint8Array([...new TextEncoder().encode(prefix), ...data])
  const made = secp.sign(message, KEY, { format: 'recovered' })
  const signature = new Uint8Array([...made.subarray(1), (made[0] ?? 0) ^ recoveryFlip])
  return bech32.encode(prefix, [...words, ...bech32.toWords(signature)], false)
}
const outcome = (fields: readonly number[], recoveryFlip = 0) => {
  const read = readInvoice(signed(fields, recoveryFlip))
  return read.ok ? read.invoice : read.rule
}

describe('fields of an invoice whose checksum and signature are right', () => {
  test('the least that an invoice needs', () => {
    expect(outcome(whole)).toMatchObject({
      payee: nodeKeyOf(KEY),
      hash: '00'.repeat(32),
      description: 'x',
      features: [],
    })
  })

  const seven = zeros(6)
  test.each<[string, string, readonly number[]]>([
    ['no-payment-hash', 'no hash', [...secret, ...description]],
    ['no-payment-secret', 'no secret', [...hash, ...description]],
    ['no-payment-hash', 'a hash of a wrong length', [...field('p', zeros(51)), ...secret, ...description]],
    ['description', 'neither description nor hash', [...hash, ...secret]],
    ['description', 'both', [...whole, ...field('h', zeros(52))]],
    ['duplicate-field', 'two hashes', [...whole, ...hash]],
    ['duplicate-field', 'two secrets', [...whole, ...secret]],
    ['duplicate-field', 'two descriptions', [...whole, ...description]],
    ['duplicate-field', 'two expiries', [...whole, ...field('x', [1]), ...field('x', [2])]],
    ['duplicate-field', 'two deltas', [...whole, ...field('c', [1]), ...field('c', [2])]],
    ['duplicate-field', 'two sets of features', [...whole, ...field('9', [1]), ...field('9', [1])]],
    ['padding', 'a hash padded with ones', [...field('p', [...zeros(51), 1]), ...secret, ...description]],
    ['padding', 'a description padded with ones', [...hash, ...secret, ...field('d', [0, 1])]],
    ['expiry', 'an expiry of 33 bits', [...whole, ...field('x', [8, ...seven])]],
    ['expiry', 'an expiry of a hundred words', [...whole, ...field('x', new Array<number>(100).fill(31))]],
    ['cltv', 'a delta of 33 bits', [...whole, ...field('c', [8, ...seven])]],
    ['utf8', 'a description that is not UTF-8', [...hash, ...secret, ...field('d', bytes(0xff))]],
    ['route-hint', 'an empty route', [...whole, ...field('r', [])]],
    ['route-hint', 'half a hop', [...whole, ...field('r', bytes(...zeros(25)))]],
    ['unknown-feature', 'a required feature', [...whole, ...field('9', [1, 0, 0])]],
    ['field-length', 'a field longer than the invoice', [...whole, LETTERS.indexOf('d'), 31, 31]],
    ['field-length', 'the head of a field', [...whole, LETTERS.indexOf('d'), 0]],
  ])('%s: %s', (rule, _what, fields) => expect(outcome(fields)).toBe(rule))

  test('what is not known is skipped: field types, fallback versions, odd features', () => {
    const odd = [...field('z', [1, 2, 3]), ...field('f', [31, 1, 2, 3]), ...field('f', []), ...field('9', [0, 0, 2])]
    expect(outcome([...whole, ...odd])).toMatchObject({ description: 'x', fallbacks: [], features: [1] })
  })

  test('numbers may carry leading zeros', () => {
    expect(outcome([...whole, ...field('x', [0, 0, 1]), ...field('c', [0, 9])])).toMatchObject({
      expirySeconds: 1,
      minFinalCltvDelta: 9,
    })
  })

  test('an expiry of 32 bits is read, and one of zero is at once', () => {
    expect(outcome([...whole, ...field('x', [3, ...new Array<number>(6).fill(31)])])).toMatchObject({
      expiresAt: 0xffff_ffff,
    })
    expect(outcome([...whole, ...field('x', [0])])).toMatchObject({ expirySeconds: 0 })
  })

  test('a byte order mark is part of the description', () => {
    expect(outcome([...hash, ...secret, ...field('d', bytes(0xef, 0xbb, 0xbf, 0x78))])).toMatchObject({
      description: '\ufeffx',
    })
  })

  test('a recovery id beyond 3 is refused, also where the payee is named', () => {
    const named = [...whole, ...field('n', bech32.toWords(fromHex(nodeKeyOf(KEY))))]
    expect(outcome(named)).toMatchObject({ payee: nodeKeyOf(KEY) })
    expect(outcome(named, 4)).toBe('signature')
    expect(outcome(whole, 4)).toBe('signature')
  })

  test('another payee named than signed is refused', () => {
    const other = nodeKeyOf(fromHex(sha256Hex('another node')))
    expect(outcome([...whole, ...field('n', bech32.toWords(fromHex(other)))])).toBe('signature')
    expect(outcome([...whole, ...field('n', zeros(53))])).toBe('signature')
  })

  test('seven thousand characters are the most, however good', () => {
    const long = signed([...whole, ...Array.from({ length: 7 }, () => field('z', zeros(1000))).flat()])
    expect(long.length).toBeGreaterThan(7089)
    expect(readInvoice(long)).toMatchObject({ ok: false, rule: 'too-long' })
    const fits = signed([...whole, ...Array.from({ length: 6 }, () => field('z', zeros(1000))).flat()])
    expect(readInvoice(fits)).toMatchObject({ ok: true })
  })
})
