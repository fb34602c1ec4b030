import { createCipheriv, createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../src/hash.ts'
import { openKeys } from '../src/keys.ts'
import { SealError } from '../src/seal/error.ts'
import {
  type Codec,
  codecFor,
  conversationKey,
  messageKeys,
  nodeCodec,
  paddedBytes,
  payloadChars,
  plainCodec,
} from '../src/seal/nip44.ts'

/** The official vectors: github.com/paulmillr/nip44, sha256 269ed0f6…5040. */
interface Vectors {
  valid: {
    get_conversation_key: { sec1: string; pub2: string; conversation_key: string }[]
    get_message_keys: {
      conversation_key: string
      keys: { nonce: string; chacha_key: string; chacha_nonce: string; hmac_key: string }[]
    }
    calc_padded_len: [number, number][]
    encrypt_decrypt: {
      sec1: string
      sec2: string
      conversation_key: string
      nonce: string
      plaintext: string
      payload: string
    }[]
    encrypt_decrypt_long_msg: {
      conversation_key: string
      nonce: string
      pattern: string
      repeat: number
      plaintext_sha256: string
      payload_sha256: string
    }[]
  }
  invalid: {
    get_conversation_key: { sec1: string; pub2: string }[]
    decrypt: { conversation_key: string; payload: string; note: string }[]
  }
}
const { valid, invalid }: Vectors = JSON.parse(
  readFileSync(new URL('vectors/nip44.vectors.json', import.meta.url), 'utf8'),
).v2
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const node = nodeCodec as Codec
const codecs: [string, Codec][] = [
  ['node:crypto', node],
  ['plain JavaScript', plainCodec],
]
const codeOf = (run: () => unknown) => {
  try {
    run()
  } catch (error) {
    return error instanceof SealError ? error.code : `no SealError: ${error}`
  }
  return 'none'
}

describe('conversation keys', async () => {
  const engines = ['libsecp256k1', 'nostr-wasm', 'plain'] as const
  const opened = await Promise.all(engines.map(engine => openKeys(engine).catch(() => undefined)))
  test.each(engines.map((engine, i) => [engine, opened[i]] as const))('by %s', (engine, keys) => {
    if (!keys) return console.warn(`SKIPPED: ${engine} is not here`)
    expect(valid.get_conversation_key.length).toBe(35)
    for (const row of valid.get_conversation_key)
      expect(toHex(conversationKey(keys.shared(fromHex(row.sec1), row.pub2)))).toBe(row.conversation_key)
    for (const row of valid.encrypt_decrypt)
      expect(toHex(conversationKey(keys.shared(fromHex(row.sec1), keys.publicKey(fromHex(row.sec2)))))).toBe(
        row.conversation_key,
      )
    expect(invalid.get_conversation_key.length).toBe(8)
    for (const row of invalid.get_conversation_key) expect(() => keys.shared(fromHex(row.sec1), row.pub2)).toThrow()
  })
})

test('message keys', () => {
  const { conversation_key, keys } = valid.get_message_keys
  expect(keys.length).toBe(32)
  for (const row of keys) {
    const ours = messageKeys(fromHex(conversation_key), fromHex(row.nonce))
    expect(Object.values(ours).map(toHex)).toEqual([row.chacha_key, row.chacha_nonce, row.hmac_key])
  }
})

test('padded lengths', () => {
  expect(valid.calc_padded_len.length).toBe(24)
  for (const [bytes, padded] of valid.calc_padded_len) expect(paddedBytes(bytes)).toBe(padded)
})

test.each([
  [1, 132],
  [1000, 1456],
  [10_000, 13_744],
  [16_000, 21_936],
  [32_768, 43_780],
  [40_000, 54_704],
  [48_000, 65_628],
  [65_535, 87_472],
])('%i bytes of text make a payload of %i characters', (bytes, chars) => {
  expect(payloadChars(bytes)).toBe(chars)
  expect(codecFor(bytes).seal(new Uint8Array(32), 'a'.repeat(bytes), new Uint8Array(32)).length).toBe(chars)
})

describe.each(codecs)('payloads by %s', (_name, codec) => {
  test('official vectors', () => {
    expect(valid.encrypt_decrypt.length).toBeGreaterThan(8)
    for (const row of valid.encrypt_decrypt) {
      const key = fromHex(row.conversation_key)
      expect(codec.seal(key, row.plaintext, fromHex(row.nonce))).toBe(row.payload)
      expect(codec.open(key, row.payload)).toBe(row.plaintext)
    }
    for (const row of valid.encrypt_decrypt_long_msg) {
      const key = fromHex(row.conversation_key)
      const text = row.pattern.repeat(row.repeat)
      expect(sha256(text)).toBe(row.plaintext_sha256)
      const payload = codec.seal(key, text, fromHex(row.nonce))
      expect(sha256(payload)).toBe(row.payload_sha256)
      expect(codec.open(key, payload)).toBe(text)
    }
  })

  test.each([
    [65_535, '6d8c2810d1e870fbaa1f0a0937126cca837a15f9260e27060c331d70a3c0bc84'],
    [65_536, 'b7b4edb36ba92e267d322d56d9aebc22e7fa96ff52e3c12adc07f07a43cbc616'],
    [65_537, 'eeb7c7c5373894ea2c1547cfd3ccb15d5a0b2d619da852e5c79df792dcc9e435'],
  ])('extended lengths of NIP-44: %i', (length, digest) => {
    const key = fromHex('c41c775356fd92eadc63ff5a0dc1da211b268cbea22316767095b2871ea1412d')
    const nonce = new Uint8Array(32).fill(1, 31)
    const payload = codec.seal(key, 'a'.repeat(length), nonce)
    expect(sha256(payload)).toBe(digest)
    expect(codec.open(key, payload)).toBe('a'.repeat(length))
  })

  test.each([
    ['a short text in the long form', '000000000005', 32, 'padding'],
    ['no text', '0000', 32, 'padding'],
    ['more text than there is', '0040', 32, 'padding'],
    ['too little padding', '0021', 32, 'padding'],
    ['too much padding', '0005', 64, 'padding'],
    ['as it should be', '0005', 32, 'none'],
  ])('a true MAC over %s', (_about, prefix, room, verdict) => {
    const [key, nonce] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    const ours = messageKeys(key, nonce)
    const padded = Buffer.concat([fromHex(prefix), Buffer.from('hello'), Buffer.alloc(room - 5)])
    const iv = Buffer.concat([Buffer.alloc(4), ours.chachaNonce])
    const hidden = createCipheriv('chacha20', ours.chachaKey, iv).update(padded)
    const mac = createHmac('sha256', ours.hmacKey).update(nonce).update(hidden).digest()
    const payload = Buffer.concat([Uint8Array.of(2), nonce, hidden, mac]).toString('base64')
    expect(codeOf(() => codec.open(key, payload))).toBe(verdict)
  })

  test('invalid payloads', () => {
    expect(invalid.decrypt.length).toBe(12)
    for (const row of invalid.decrypt) {
      const code = codeOf(() => codec.open(fromHex(row.conversation_key), row.payload))
      const wanted = /version/.test(row.note)
        ? 'version'
        : /MAC/.test(row.note)
          ? 'mac'
          : /padding/.test(row.note)
            ? 'padding'
            : 'malformed'
      expect([row.note, code]).toEqual([row.note, wanted])
    }
  })
})

describe('the two codecs', () => {
  const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })

  test('write the same bytes and read each other, around every step of the padding and the switch', () => {
    const steps = [1, 32, 64, 96, 128, 256, 512, 1000, 1024, 1280, 2048, 8192, 65_408]
    const length = fc.oneof(
      fc.integer({ min: 1, max: 4096 }),
      fc.tuple(fc.constantFrom(...steps), fc.integer({ min: -2, max: 2 })).map(([at, by]) => Math.max(1, at + by)),
    )
    fc.assert(
      fc.property(bytes32, bytes32, length, (key, nonce, size) => {
        const text = 'x'.repeat(size)
        const payload = node.seal(key, text, nonce)
        expect(plainCodec.seal(key, text, nonce)).toBe(payload)
        expect(payload.length).toBe(payloadChars(size))
        expect(plainCodec.open(key, payload)).toBe(text)
        expect(node.open(key, payload)).toBe(text)
      }),
      { numRuns: 1000 },
    )
  })

  test('agree on any Unicode text', () => {
    fc.assert(
      fc.property(bytes32, bytes32, fc.string({ unit: 'binary', minLength: 1, maxLength: 700 }), (key, nonce, text) => {
        const payload = plainCodec.seal(key, text, nonce)
        expect(node.seal(key, text, nonce)).toBe(payload)
        expect(node.open(key, payload)).toBe(plainCodec.open(key, payload))
        expect(node.open(key, payload)).toBe(text.replace(/^\ufeff/, ''))
      }),
      { numRuns: 1000 },
    )
  })

  test('agree on the verdict over any altered payload, and never accept one', () => {
    const key = new Uint8Array(32).fill(5)
    const genuine = node.seal(key, 'pay 21 sats', new Uint8Array(32).fill(6))
    const altered = fc.oneof(
      fc
        .tuple(fc.nat(genuine.length - 1), fc.constantFrom(...'ABab01+/=#- \n'))
        .map(([at, char]) => genuine.slice(0, at) + char + genuine.slice(at + 1)),
      fc.nat(genuine.length - 1).map(at => genuine.slice(0, at)),
      fc.base64String({ maxLength: 300 }),
      fc.base64String({ minLength: 128, maxLength: 300 }).map(text => `Ag${text}`),
      fc.string({ maxLength: 300 }),
      fc.base64String({ minLength: 4, maxLength: 8 }).map(more => genuine + more),
    )
    fc.assert(
      fc.property(altered, payload => {
        fc.pre(payload !== genuine)
        const code = codeOf(() => node.open(key, payload))
        expect(['malformed', 'version', 'mac']).toContain(code)
        expect(codeOf(() => plainCodec.open(key, payload))).toBe(code)
      }),
      { numRuns: 3000 },
    )
  })
})
