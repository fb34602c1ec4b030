import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex } from '../src/payments/hash.ts'
import { nwcUri, readNwcUri, writeNwcUri } from '../src/payments/nwc/uri.ts'

const WALLET = 'b889ff5b1513b641e2a139f661a661364979c5beee91842f8f0ef42ab558e9d4'
const SECRET = '71a8c14c1407c113601079c4302dab36460f0ccd0ad506f1f2dc73b5100e4f3c'
const plain = `nostr+walletconnect://${WALLET}?relay=wss%3A%2F%2Frelay.damus.io&secret=${SECRET}`

describe('NIP-47 connection strings', () => {
  test('the example of NIP-47 is read and written back as it was', () => {
    const uri = readNwcUri(plain)
    expect(uri).toMatchObject({ wallet: WALLET, relays: ['wss://relay.damus.io'] })
    expect(uri.secret).toEqual(fromHex(SECRET))
    expect(writeNwcUri(uri)).toBe(plain)
  })

  test.each([
    ['no slashes', `nostr+walletconnect:${WALLET}?relay=wss://relay.damus.io&secret=${SECRET}`],
    ['the old scheme', `nostrwalletconnect://${WALLET}?relay=wss://relay.damus.io&secret=${SECRET}`],
    ['a slash before the fields', `nostr+walletconnect://${WALLET}/?relay=wss://relay.damus.io&secret=${SECRET}`],
    [
      'capitals',
      `nostr+walletconnect://${WALLET.toUpperCase()}?relay=wss://relay.damus.io&secret=${SECRET.toUpperCase()}`,
    ],
    ['spaces around and unknown fields', `  ${plain}&name=x#y\n`],
  ])('%s is tolerated', (_, text) => {
    expect(writeNwcUri(readNwcUri(text))).toBe(plain)
  })

  test('several relays and a lud16 are kept', () => {
    const uri = readNwcUri(`${plain}&relay=ws://127.0.0.1:7777/x&relay=wss://relay.damus.io&lud16=a@b.c`)
    expect(uri.relays).toEqual(['wss://relay.damus.io', 'ws://127.0.0.1:7777/x'])
    expect(readNwcUri(writeNwcUri(uri))).toEqual(uri)
    expect(uri.lud16).toBe('a@b.c')
  })

  test.each([
    ['an npub', `nostr+walletconnect://npub1hzyl?relay=wss://r.x&secret=${SECRET}`, /npub/],
    ['an nsec', `nostr+walletconnect://${WALLET}?relay=wss://r.x&secret=nsec1abc`, /nsec/],
    ['no secret', `nostr+walletconnect://${WALLET}?relay=wss://r.x`, /secret is not/],
    ['a zero secret', `nostr+walletconnect://${WALLET}?relay=wss://r.x&secret=${'0'.repeat(64)}`, /secret is not/],
    ['no relay', `nostr+walletconnect://${WALLET}?secret=${SECRET}`, /no relay/],
    ['a relay that is a web page', `nostr+walletconnect://${WALLET}?relay=https://r.x&secret=${SECRET}`, /ws:/],
    ['a short key', `nostr+walletconnect://abc?relay=wss://r.x&secret=${SECRET}`, /64 hex/],
    ['another scheme', `https://x.y?relay=wss://r.x&secret=${SECRET}`, /nostr\+walletconnect/],
  ])('%s is refused with the way out and without the secret', (_, text, why) => {
    const says = (() => {
      try {
        readNwcUri(text)
      } catch (error) {
        return inspect(error)
      }
      return 'read'
    })()
    expect(says).toMatch(why)
    expect(says).toContain('from your wallet')
    expect(says).not.toContain(SECRET)
  })

  test('printing and serialising a connection hides its secret', () => {
    const uri = readNwcUri(plain)
    for (const shown of [JSON.stringify(uri), inspect(uri), JSON.stringify({ ...uri }), String(uri)]) {
      expect(shown).not.toContain(SECRET)
      expect(shown).not.toContain('113, 168')
    }
  })

  test('what cannot be read is not written', () => {
    const good = readNwcUri(plain)
    const bad = [
      { ...good, secret: good.secret, relays: [] },
      { ...good, secret: good.secret, wallet: 'x' },
      { ...good, secret: new Uint8Array(31) },
    ]
    for (const uri of bad) expect(() => writeNwcUri(nwcUri(uri))).toThrow(TypeError)
  })

  test('property: what is written is read back the same', () => {
    const hex = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter(bytes => bytes.some(byte => byte > 0))
    const relay = fc
      .tuple(fc.constantFrom('ws', 'wss'), fc.domain(), fc.webPath(), fc.webQueryParameters())
      .map(([scheme, host, path, query]) => `${scheme}://${host}${path || '/'}?${query}`)
    fc.assert(
      fc.property(hex, hex, fc.uniqueArray(relay, { minLength: 1, maxLength: 16 }), (key, secret, relays) => {
        const wallet = Buffer.from(key).toString('hex')
        const read = readNwcUri(writeNwcUri(nwcUri({ wallet, relays, secret })))
        expect(read.secret).toEqual(secret)
        expect(read).toEqual(nwcUri({ wallet, relays, secret }))
      }),
      { numRuns: 1_000 },
    )
  })

  test('property: any text is read or refused by an Error that does not repeat it', () => {
    const near = fc.tuple(
      fc.constantFrom('nostr+walletconnect://', 'nostrwalletconnect:', ''),
      fc.string(),
      fc.string(),
    )
    fc.assert(
      fc.property(near, ([scheme, key, rest]) => {
        const secret = `${SECRET.slice(0, 63)}x`
        try {
          readNwcUri(`${scheme}${key}?secret=${secret}&${rest}`)
        } catch (error) {
          expect(String(error)).toContain('no usable wallet connection')
          expect(String(error)).not.toContain(secret)
        }
      }),
      { numRuns: 1_000 },
    )
  })
})
