import fc from 'fast-check'
import * as nip04 from 'nostr-tools/nip04'
import * as nip44 from 'nostr-tools/nip44'
import { describe, expect, test } from 'vitest'
import { lru, seenSet } from '../src/bounded.ts'
import { openKeys } from '../src/keys.ts'
import { maxSealedBytes, openSeal, payloadChars, SealError, unwrapContent, wrapContent } from '../src/seal.ts'

const keys = await openKeys()
const [alice, bob, eve] = [keys.newSecret(), keys.newSecret(), keys.newSecret()]
const [alicePub, bobPub] = [keys.publicKey(alice), keys.publicKey(bob)]
const a = openSeal({ keys, secret: alice })
const b = openSeal({ keys, secret: bob })
const e = openSeal({ keys, secret: eve })

function failure(run: () => unknown): SealError {
  try {
    run()
  } catch (error) {
    if (error instanceof SealError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('a seal', () => {
  test.each(['nip44', 'nip04'] as const)('%s: what one seals, only the other opens', scheme => {
    for (const text of ['x', 'žluťoučký kůň 🐎', '[["i","prompt","text"]]', 'y'.repeat(5000), 'z'.repeat(65_408)]) {
      const payload = a.encrypt(bobPub, text, scheme)
      expect(b.decrypt(alicePub, payload)).toBe(text)
      expect(a.decrypt(bobPub, payload)).toBe(text)
      if (scheme === 'nip44') expect(failure(() => e.decrypt(alicePub, payload)).code).toBe('mac')
    }
  })

  test('speaks with nostr-tools, both schemes, both ways', () => {
    const key = nip44.getConversationKey(bob, alicePub)
    for (const size of [1, 100, 1500]) {
      const text = 'é'.repeat(size)
      expect(nip44.decrypt(a.encrypt(bobPub, text), key)).toBe(text)
      expect(a.decrypt(bobPub, nip44.encrypt(text, key))).toBe(text)
      expect(nip04.decrypt(bob, alicePub, a.encrypt(bobPub, text, 'nip04'))).toBe(text)
      expect(a.decrypt(bobPub, nip04.encrypt(bob, alicePub, text))).toBe(text)
    }
  })

  test('never seals the same twice', () => {
    for (const scheme of ['nip44', 'nip04'] as const)
      expect(a.encrypt(bobPub, 'same', scheme)).not.toBe(a.encrypt(bobPub, 'same', scheme))
  })

  test('writes up to 65,408 bytes, counted in UTF-8, and says so above', () => {
    expect(b.decrypt(alicePub, a.encrypt(bobPub, 'a'.repeat(maxSealedBytes))).length).toBe(65_408)
    for (const text of ['a'.repeat(65_409), 'é'.repeat(32_705), 'a'.repeat(100_000), 'a'.repeat(10_000_000)]) {
      const error = failure(() => a.encrypt(bobPub, text))
      expect(error.code).toBe('too-long')
      expect(error.message).toContain('65408')
    }
    expect(failure(() => a.encrypt(bobPub, '')).code).toBe('empty')
    expect(failure(() => a.encrypt(bobPub, 'a\udc00')).code).toBe('not-text')
  })

  test('reads the extended form that others may write', () => {
    const key = nip44.getConversationKey(bob, alicePub)
    const payload = nip44.encrypt('a'.repeat(70_000), key)
    expect(a.decrypt(bobPub, payload).length).toBe(70_000)
  })

  test('refuses a payload above its bound before looking into it', () => {
    const small = openSeal({ keys, secret: alice, maxPlainBytes: 100 })
    const payload = openSeal({ keys, secret: bob }).encrypt(alicePub, 'a'.repeat(100))
    expect(payload.length).toBe(payloadChars(100))
    expect(small.decrypt(bobPub, payload).length).toBe(100)
    expect(failure(() => small.decrypt(bobPub, b.encrypt(alicePub, 'a'.repeat(200)))).code).toBe('too-long')
    expect(failure(() => a.decrypt('no key', `A${'A'.repeat(20_000_000)}`)).code).toBe('too-long')
  })

  test('a peer that is no key is an error of code peer', () => {
    for (const peer of ['', 'zz', alicePub.toUpperCase(), 'f'.repeat(64)]) {
      expect(failure(() => a.encrypt(peer, 'x')).code).toBe('peer')
      expect(failure(() => a.encrypt(peer, 'x', 'nip04')).code).toBe('peer')
      expect(failure(() => a.decrypt(peer, 'x?iv=AAAAAAAAAAAAAAAAAAAAAA==')).code).toBe('peer')
    }
  })

  test('keeps its own copy of the secret', () => {
    const mine = alice.slice()
    const seal = openSeal({ keys, secret: mine })
    mine.fill(0)
    expect(b.decrypt(alicePub, seal.encrypt(bobPub, 'still here'))).toBe('still here')
  })

  test('asks for the common point once per peer while the cache holds it', () => {
    let asked = 0
    const shared = (secret: Uint8Array, peer: string) => {
      asked++
      return keys.shared(secret, peer)
    }
    const seal = openSeal({ keys: { shared }, secret: alice, cacheSize: 2 })
    const peers = [bob, eve, alice].map(secret => keys.publicKey(secret))
    for (const [peer, count] of [
      [peers[0], 1],
      [peers[0], 1],
      [peers[1], 2],
      [peers[0], 2],
      [peers[2], 3],
      [peers[0], 3],
      [peers[1], 4],
    ] as const) {
      seal.encrypt(peer ?? '', 'x')
      expect(asked).toBe(count)
    }
  })

  test('any payload opens or is a SealError that repeats nothing of it', () => {
    const genuine = a.encrypt(bobPub, 'genuine', 'nip04')
    const payload = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string().map(text => `${text}?iv=${text}`),
      fc.tuple(fc.base64String(), fc.base64String({ minLength: 24, maxLength: 24 })).map(([x, iv]) => `${x}?iv=${iv}`),
      fc.nat(genuine.length).map(at => genuine.slice(at)),
      fc.base64String({ minLength: 132 }),
    )
    fc.assert(
      fc.property(payload, text => {
        try {
          expect(typeof b.decrypt(alicePub, text)).toBe('string')
        } catch (error) {
          expect(error).toBeInstanceOf(SealError)
          if (text.length > 40) expect(String(error)).not.toContain(text.slice(0, 40))
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a wrap', () => {
  const inner = keys.sign({ kind: 1, created_at: 1_800_000_000, tags: [['t', 'x']], content: 'inside' }, alice)

  test('carries one signed event to one reader under a one-time key', () => {
    const { content, secret } = wrapContent(keys, inner, bobPub)
    expect(keys.publicKey(secret)).not.toBe(alicePub)
    const opened = unwrapContent(b, keys.publicKey(secret), content)
    expect(opened).toEqual(inner)
    expect(failure(() => unwrapContent(e, keys.publicKey(secret), content)).code).toBe('mac')
    expect(content).not.toContain('inside')
    expect(Buffer.from(wrapContent(keys, inner, bobPub).secret)).not.toEqual(Buffer.from(secret))
  })

  test('refuses an event that does not fit, and opens no text that is no JSON', () => {
    const long = { ...inner, content: 'a'.repeat(65_408) }
    expect(failure(() => wrapContent(keys, long, bobPub)).code).toBe('too-long')
    expect(failure(() => unwrapContent(b, alicePub, a.encrypt(bobPub, '{"id":'))).code).toBe('malformed')
  })
})

describe('bounded memory', () => {
  test('a map behaves like one that forgets what was used longest ago', () => {
    const step = fc.tuple(fc.constantFrom('get', 'set'), fc.nat(9))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 80 }), (max, steps) => {
        const map = lru<number, string>(max)
        let model: number[] = []
        for (const [act, key] of steps) {
          const known = model.includes(key)
          if (act === 'get') expect(map.get(key)).toBe(known ? `v${key}` : undefined)
          else map.set(key, `v${key}`)
          if (act === 'set' || known) model = [...model.filter(one => one !== key), key].slice(-max)
          expect(map.size).toBe(model.length)
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('a set remembers the last max ids and never holds more than twice as many', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.nat(30), { maxLength: 100 }), (max, ids) => {
        const set = seenSet(max)
        const order: string[] = []
        for (const id of ids.map(String)) {
          set.add(id)
          if (!order.includes(id)) order.push(id)
          expect(set.has(id)).toBe(true)
          expect(set.size).toBeLessThanOrEqual(2 * max)
        }
        const distinct = [...new Set(ids.map(String).reverse())].slice(0, max)
        for (const id of distinct) expect(set.has(id)).toBe(true)
        expect(set.has('never')).toBe(false)
      }),
      { numRuns: 1000 },
    )
  })
})
