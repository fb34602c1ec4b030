import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../src/hash.ts'
import { npub, nsec, openKeys, pubkeyFromText, secretFromText } from '../src/keys.ts'

const pubkey = '7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e'
const secretHex = '67dea2ed018072d675f5415ecfaed7d2597555e202d85b3d65ea4e58d2d92ffa'

describe('keys as text', () => {
  test('the examples of NIP-19', () => {
    expect(npub(pubkey)).toBe('npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg')
    expect(pubkeyFromText('npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg')).toBe(pubkey)
    const text = 'nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5'
    expect(toHex(secretFromText(text))).toBe(secretHex)
    expect(nsec(fromHex(secretHex))).toBe(text)
    const profile =
      'nprofile1qqsrhuxx8l9ex335q7he0f09aej04zpazpl0ne2cgukyawd24mayt8gpp4mhxue69uhhytnc9e3k7mgpz4mhxue69uhkg6nzv9ejuumpv34kytnrdaksjlyr9p'
    expect(pubkeyFromText(profile)).toBe('3bf0c63fcb93463407af97a5e5ee64fa883d107ef9e558472c4eb9aaaefa459d')
  })

  test('hex in either case, spaces around, nostr: before', () => {
    expect(pubkeyFromText(` ${pubkey.toUpperCase()}\n`)).toBe(pubkey)
    expect(pubkeyFromText(`nostr:${npub(pubkey)}`)).toBe(pubkey)
    expect(toHex(secretFromText(`${secretHex.toUpperCase()}\n`))).toBe(secretHex)
  })

  test('round trip of any key', async () => {
    const keys = await openKeys()
    for (let i = 0; i < 20; i++) {
      const secret = keys.newSecret()
      expect(secretFromText(nsec(secret))).toEqual(secret)
      expect(pubkeyFromText(npub(keys.publicKey(secret)))).toBe(keys.publicKey(secret))
    }
  })

  test('errors say what was expected and never repeat a secret', () => {
    expect(() => secretFromText(npub(pubkey))).toThrow(/npub, not a secret key/)
    expect(() => secretFromText('00'.repeat(32))).toThrow(/no secret key/)
    expect(() => secretFromText('ff'.repeat(32))).toThrow(/no secret key/)
    const slip = nsec(fromHex(secretHex)).slice(0, -1)
    expect(() => secretFromText(slip)).toThrow(/^this is no secret key: give nsec1… or 64 hex digits$/)
    expect(() => pubkeyFromText(nsec(fromHex(secretHex)))).toThrow(/SECRET/)
    expect(() => pubkeyFromText(slip)).toThrow(/SECRET/)
    expect(() => pubkeyFromText(slip)).not.toThrow(slip.slice(5, 20))
    expect(() => pubkeyFromText('alice')).toThrow('"alice" is no public key: give npub1…, nprofile1… or 64 hex digits')
  })

  test('any text is a key or an error', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        expect(() => secretFromText(text)).toThrow(Error)
        expect(() => pubkeyFromText(text)).toThrow(Error)
      }),
      { numRuns: 1000 },
    )
  })
})
