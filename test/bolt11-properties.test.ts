import { bech32 } from '@scure/base'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Invoice, nodeKeyOf, peekInvoice, readInvoice, writeInvoice } from '../src/payments/bolt11.ts'
import { fromHex, sha256Hex, toHex } from '../src/payments/hash.ts'
import { fieldsOf } from './bolt11-world.ts'
import vectors from './vectors/bolt11-vectors.json' with { type: 'json' }

const KEY = fromHex(sha256Hex('a node'))
const good = writeInvoice(
  {
    network: 'regtest',
    msats: 21_000n,
    hash: sha256Hex('h'),
    secret: sha256Hex('s'),
    timestamp: 1_800_000_000,
    description: 'x',
  },
  KEY,
)
/** What an invoice says, apart from who says it. */
const content = ({ payee: _payee, bolt11: _bolt11, ...rest }: Invoice) => rest
const LETTERS = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'

describe('properties of invoices', () => {
  test('what is written and signed is read back, whole: 500 invoices', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fieldsOf, fields => {
        const bolt11 = writeInvoice(fields, KEY)
        const read = readInvoice(bolt11)
        const { namesPayee: _names, ...said } = fields
        const expirySeconds = fields.expirySeconds ?? 3600
        expect(read).toEqual({
          ok: true,
          invoice: {
            ...{ minFinalCltvDelta: 18, expirySeconds },
            ...said,
            ...{ bolt11, payee: nodeKeyOf(KEY), expiresAt: fields.timestamp + expirySeconds },
          },
        })
      }),
      { numRuns: 500 },
    )
  })

  test('no other character in any place gives an invoice', { timeout: 60_000 }, () => {
    for (let at = 0; at < good.length; at++) {
      const old = good.charAt(at)
      for (const letter of new Set([
        ...LETTERS,
        '1',
        'b',
        ' ',
        old.toUpperCase(),
        String.fromCharCode(old.charCodeAt(0) ^ 1),
      ])) {
        if (letter === old) continue
        expect(readInvoice(good.slice(0, at) + letter + good.slice(at + 1)).ok, `${letter} at ${at}`).toBe(false)
      }
      expect(readInvoice(good.slice(0, at) + good.slice(at + 1)).ok, `cut at ${at}`).toBe(false)
    }
  })

  const sources = vectors.vectors
    .filter(vector => vector.expect === 'valid')
    .map(vector => vector.invoice.toLowerCase())
  const named = writeInvoice(
    {
      network: 'regtest',
      msats: 5n,
      hash: sha256Hex('h'),
      secret: sha256Hex('s'),
      timestamp: 9,
      description: '',
      namesPayee: true,
    },
    KEY,
  )
  test('a changed word under a corrected checksum never says something else in the name of the same payee: 1000 words', {
    timeout: 60_000,
  }, () => {
    let another = 0
    const parts = [good, named, ...sources].map(source => {
      const read = readInvoice(source)
      if (!read.ok) throw new Error(`the source is good: ${read.says}`)
      return { before: read.invoice, ...bech32.decode(source as `${string}1${string}`, false) }
    })
    fc.assert(
      fc.property(
        fc.constantFrom(...parts),
        fc.nat(),
        fc.integer({ min: 1, max: 31 }),
        ({ before, prefix, words }, place, flip) => {
          const at = place % words.length
          const changed = words.map((word, i) => (i === at ? word ^ flip : word))
          const after = readInvoice(bech32.encode(prefix, changed, false))
          if (!after.ok) return
          another++
          // Only the recovery id, which a named payee does not need, may differ without any effect.
          if (after.invoice.payee === before.payee) expect(content(after.invoice)).toEqual(content(before))
        },
      ),
      { numRuns: 1000 },
    )
    // The property would be empty if everything were refused.
    expect(another).toBeGreaterThan(100)
  })

  test('a changed amount or network under a corrected checksum is another payee', () => {
    const { words } = bech32.decode(good as `${string}1${string}`, false)
    for (const prefix of [
      'lnbcrt211n',
      'lnbcrt210u',
      'lnbcrt',
      'lnbc210n',
      'lntb210n',
      'lntbs210n',
      'lnsb210n',
      'lnbcrt2100p',
    ]) {
      const read = readInvoice(bech32.encode(prefix, words, false))
      if (read.ok) expect(read.invoice.payee).not.toBe(nodeKeyOf(KEY))
    }
  })

  test.each([
    'lnbcrt0',
    'lnbcrt01n',
    'lnbcrt0210n',
    'lnxy210n',
    'lnbcrt-1n',
    'lnbcrt1.5n',
    'lnbcrt9999999999999999999',
    'btcrt210n',
    'lnbcrt210k',
  ])('prefix %s is refused', prefix => {
    const { words } = bech32.decode(good as `${string}1${string}`, false)
    expect(readInvoice(bech32.encode(prefix, words, false))).toMatchObject({ ok: false })
  })

  test('a high-S signature is refused where the payee is named and read where it is recovered', () => {
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const flipped = (text: string) => {
      const { prefix, words } = bech32.decode(text as `${string}1${string}`, false)
      const signature = bech32.fromWords(words.slice(-104))
      const s = order - BigInt(`0x${toHex(signature.slice(32, 64))}`)
      signature.set(fromHex(s.toString(16).padStart(64, '0')), 32)
      signature[64] = (signature[64] ?? 0) ^ 1
      return bech32.encode(prefix, [...words.slice(0, -104), ...bech32.toWords(signature)], false)
    }
    expect(readInvoice(flipped(named))).toMatchObject({ ok: false, rule: 'signature' })
    expect(readInvoice(flipped(good))).toMatchObject({ ok: true, invoice: { payee: nodeKeyOf(KEY) } })
  })

  test('no string makes the reader throw: 10000 strings', { timeout: 60_000 }, () => {
    const words = fc.array(fc.nat(31), { maxLength: 300 })
    const anything = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({ unit: fc.constantFrom(...LETTERS, '1', 'L', 'N'), maxLength: 400 }).map(rest => `lnbc${rest}`),
      // Past the checksum: arbitrary words under good and bad prefixes.
      fc
        .tuple(fc.constantFrom('lnbc', 'lnbcrt1n', 'lntbs20m', 'lnbc1p', 'ln', 'x'), words)
        .map(([prefix, all]) => bech32.encode(prefix, all, false)),
      // Past the length: good ends around arbitrary fields.
      fc.tuple(words, fc.constantFrom(good, named)).map(([middle, source]) => {
        const { prefix, words: whole } = bech32.decode(source as `${string}1${string}`, false)
        return bech32.encode(prefix, [...whole.slice(0, 7), ...middle, ...whole.slice(7)], false)
      }),
    )
    fc.assert(
      fc.property(anything, text => {
        const [read, peek] = [readInvoice(text), peekInvoice(text)]
        // Only the signature is left to be refused.
        if (!peek.ok) expect(peek).toEqual(read)
        if (!read.ok) expect(read.rule).toMatch(/^[a-z0-9-]+$/)
      }),
      { numRuns: 10_000 },
    )
  })
})
