import { decode as decodeLight } from 'light-bolt11-decoder'
import { describe, expect, test } from 'vitest'
import { nodeKeyOf, readInvoice, writeInvoice } from '../src/payments/bolt11.ts'
import { fromHex, sha256Hex } from '../src/payments/hash.ts'
import vectors from './vectors/bolt11-vectors.json' with { type: 'json' }

/** The key and the hashes with which the examples of BOLT 11 are made. */
const SPEC_KEY = fromHex('e126f68f7eafcc8b74f54d269fe206be715000f94dac067d1c04a8ca3b2db734')
const SPEC = {
  network: 'mainnet',
  hash: '0001020304050607080900010203040506070809000102030405060708090102',
  secret: '11'.repeat(32),
  timestamp: 1496314658,
} as const

const reading = (text: string) => {
  const read = readInvoice(text)
  if (!read.ok) throw new Error(`${read.rule}: ${read.says}`)
  return read.invoice
}
const ruleOf = (text: string): string | undefined => {
  const read = readInvoice(text)
  return read.ok ? undefined : read.rule
}
const vectorAt = (line: number) => {
  const vector = vectors.vectors.find(each => each.line === line)
  if (!vector) throw new Error(`no vector of line ${line}`)
  return vector.invoice
}

describe('examples of BOLT 11', () => {
  for (const { line, expect: verdict, title, invoice, recovered } of vectors.vectors)
    test(`${verdict}, line ${line}: ${title}`, () => {
      if (verdict === 'invalid') expect(readInvoice(invoice)).toMatchObject({ ok: false })
      else expect(reading(invoice).payee).toBe('payee' in recovered ? recovered.payee : undefined)
    })

  test('every invalid example is refused for its own reason', () => {
    const rules = vectors.vectors
      .filter(each => each.expect === 'invalid')
      .map(each => [each.line, ruleOf(each.invoice)])
    expect(Object.fromEntries(rules)).toEqual({
      807: 'unknown-feature',
      829: 'bech32',
      835: 'bech32',
      838: 'signature',
      841: 'too-short',
      844: 'prefix',
      847: 'sub-millisatoshi',
      850: 'no-payment-secret',
      // Its high-S signature is never looked at, because a second payment secret stands before it.
      854: 'duplicate-field',
    })
  })

  test('what the donation says', () => {
    expect(reading(vectorAt(372))).toEqual({
      bolt11: vectorAt(372),
      ...SPEC,
      payee: '03e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad',
      description: 'Please consider supporting this project',
      expirySeconds: 3600,
      expiresAt: 1496314658 + 3600,
      minFinalCltvDelta: 18,
      features: [8, 14],
      routeHints: [],
      fallbacks: [],
    })
  })

  test('amounts down to the millisatoshi', () => {
    expect([400, 456, 639, 673].map(line => reading(vectorAt(line)).msats)).toEqual([
      250_000_000n,
      2_000_000_000n,
      967_878_534n,
      2_500_000_000n,
    ])
  })

  test('expiry, description hash, metadata, network, fallback and route hints', () => {
    expect(reading(vectorAt(400)).expiresAt).toBe(1496314658 + 60)
    expect(reading(vectorAt(428)).description).toBe('ナンセンス 1杯')
    expect(reading(vectorAt(750)).metadata).toBe('01fafaf0')
    expect(reading(vectorAt(481))).toMatchObject({
      network: 'testnet',
      descriptionHash: '3925b6f67e2c340036ed12093dd44e0368df1b6ea26c53dbe4811f58fd5db8c1',
      fallbacks: [{ version: 17, program: '3172b5654f6683c8fb146959d347ce303cae4ca7' }],
    })
    expect(reading(vectorAt(592)).fallbacks.map(({ version }) => version)).toEqual([0])
    const hop = { feeProportionalMillionths: 20, cltvExpiryDelta: 3, feeBaseMsats: 1 }
    expect(reading(vectorAt(506)).routeHints).toEqual([
      [
        {
          ...hop,
          nodeKey: '029e03a901b85534ff1e92c43c74431f7ce72046060fcf7a95c37e148f78c77255',
          shortChannelId: (66051n << 40n) | (263430n << 16n) | 1800n,
        },
        {
          nodeKey: '039e03a901b85534ff1e92c43c74431f7ce72046060fcf7a95c37e148f78c77255',
          shortChannelId: (197637n << 40n) | (395016n << 16n) | 2314n,
          feeBaseMsats: 2,
          feeProportionalMillionths: 30,
          cltvExpiryDelta: 4,
        },
      ],
    ])
  })

  test('fields of a wrong length and unknown fallbacks are skipped', () => {
    const { bolt11: _odd, ...odd } = reading(vectorAt(698))
    const { bolt11: _plain, ...plain } = reading(vectorAt(673))
    expect(odd).toEqual(plain)
  })

  test('upper case reads as the same invoice', () => expect(reading(vectorAt(695))).toEqual(reading(vectorAt(673))))
})

describe('writing the examples of BOLT 11 anew gives the same bytes', () => {
  const again: [number, Partial<Parameters<typeof writeInvoice>[0]>][] = [
    [372, { description: 'Please consider supporting this project' }],
    [400, { msats: 250_000_000n, description: '1 cup coffee', expirySeconds: 60 }],
    [428, { msats: 250_000_000n, description: 'ナンセンス 1杯', expirySeconds: 60 }],
    [
      456,
      { msats: 2_000_000_000n, descriptionHash: '3925b6f67e2c340036ed12093dd44e0368df1b6ea26c53dbe4811f58fd5db8c1' },
    ],
  ]
  for (const [line, fields] of again)
    test(`line ${line}`, () => expect(writeInvoice({ ...SPEC, ...fields }, SPEC_KEY)).toBe(vectorAt(line)))

  test('line 506, with a fallback and a route', () => {
    const { descriptionHash, fallbacks, routeHints, msats } = reading(vectorAt(506))
    const fields = { ...SPEC, msats: msats ?? 0n, descriptionHash: descriptionHash ?? '', fallbacks, routeHints }
    expect(writeInvoice(fields, SPEC_KEY)).toBe(vectorAt(506))
  })
})

describe('reading', () => {
  const key = fromHex(sha256Hex('a node'))
  const fields = { ...SPEC, network: 'regtest', msats: 21_000n, description: 'x' } as const
  const good = writeInvoice(fields, key)

  test('a lightning: prefix in any case is stripped', () => {
    expect(reading(`lightning:${good}`).bolt11).toBe(good)
    expect(reading(`LIGHTNING:${good.toUpperCase()}`).bolt11).toBe(good)
  })

  test('field n names the payee and is held against a canonical signature', () => {
    const named = writeInvoice({ ...fields, namesPayee: true }, key)
    expect(reading(named).payee).toBe(nodeKeyOf(key))
    expect(reading(good).payee).toBe(nodeKeyOf(key))
  })

  test.each([
    ['too-long', `${good}${'q'.repeat(7089)}`],
    ['bech32', `${good.slice(0, -1)}${good.endsWith('q') ? 'p' : 'q'}`],
    ['bech32', ` ${good}`],
    ['bech32', `lightning:lightning:${good}`],
    ['bech32', ''],
    ['bech32', 'lnbc'],
  ])('refused as %s', (rule, text) => expect(ruleOf(text)).toBe(rule))

  test('what is not text is refused, not thrown', () => {
    for (const value of [undefined, null, 7, {}, [], new Uint8Array(9)])
      expect(readInvoice(value as string)).toMatchObject({ ok: false, rule: 'not-text' })
  })

  test('what is read again is the same, and cannot be changed by who read it first', () => {
    const [first, second] = [reading(good), reading(good)]
    expect(second).toEqual(first)
    expect(() => Object.assign(first, { msats: 1n })).toThrow(TypeError)
    expect(reading(good).msats).toBe(21_000n)
  })

  test('every refusal is one sentence', () => {
    for (const { invoice } of vectors.vectors) {
      const read = readInvoice(invoice)
      if (!read.ok) expect(read.says).toMatch(/^[A-Z].{10,140}\.$/)
    }
  })
})

describe('writing', () => {
  const key = fromHex(sha256Hex('a node'))
  const fields = { ...SPEC, network: 'regtest', msats: 21_000n, description: 'x' } as const
  test.each([
    ['no amount at all', { msats: 0n }],
    ['a negative amount', { msats: -1n }],
    ['more than all bitcoin', { msats: 2_100_000_000_000_000_001n }],
    ['both descriptions', { descriptionHash: SPEC.hash }],
    ['half an expiry', { expirySeconds: 1.5 }],
    ['a negative expiry', { expirySeconds: -1 }],
    ['a timestamp of 36 bits', { timestamp: 2 ** 35 }],
    ['a short hash', { hash: 'abcd' }],
    ['a description of 640 bytes', { description: 'x'.repeat(640) }],
    ['a required feature that no reader here knows', { features: [8, 14, 100] }],
    ['a fallback of no length', { fallbacks: [{ version: 0, program: 'abcd' }] }],
  ])('%s throws', (_what, wrong) => expect(() => writeInvoice({ ...fields, ...wrong }, key)).toThrow(Error))

  test('the largest amount and the longest description fit', () => {
    const invoice = writeInvoice({ ...fields, msats: 2_099_999_999_999_999_999n, description: 'x'.repeat(639) }, key)
    expect(reading(invoice)).toMatchObject({ msats: 2_099_999_999_999_999_999n, description: 'x'.repeat(639) })
  })
})

test('light-bolt11-decoder, a foreign reader, sees the same amount, hash, description and time', {
  timeout: 60_000,
}, () => {
  const key = fromHex(sha256Hex('a node'))
  for (let i = 1; i <= 200; i++) {
    const msats = BigInt(`0x${sha256Hex(`amount ${i}`).slice(0, 1 + (i % 12))}`) + 1n
    const fields = { hash: sha256Hex(`hash ${i}`), secret: sha256Hex(`secret ${i}`), description: `job ${i} ⚡` }
    const bolt11 = writeInvoice(
      { network: 'mainnet', msats, timestamp: 1_800_000_000 + i, expirySeconds: i, ...fields },
      key,
    )
    const { sections } = decodeLight(bolt11)
    const value = (name: string) => {
      const section = sections.find(each => each.name === name)
      return section && 'value' in section ? section.value : undefined
    }
    expect(value('amount')).toBe(String(msats))
    expect(value('payment_hash')).toBe(fields.hash)
    expect(value('payment_secret')).toBe(fields.secret)
    expect(value('description')).toBe(fields.description)
    expect(value('timestamp')).toBe(1_800_000_000 + i)
    expect(value('expiry')).toBe(i)
    expect(reading(bolt11)).toMatchObject({ msats, ...fields, payee: nodeKeyOf(key) })
  }
})
