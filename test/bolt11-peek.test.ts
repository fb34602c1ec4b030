/** Ten thousand invoices of each kind, put together by hand and without a signature, which costs too much to make. */
import { bech32 } from '@scure/base'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { peekInvoice, readInvoice } from '../src/payments/bolt11.ts'
import { writeFields } from '../src/payments/bolt11-fields.ts'
import { secondReading } from '../src/payments/second-reader.ts'
import { fieldsOf } from './bolt11-world.ts'

const runs = 10_000
const names = { mainnet: 'bc', testnet: 'tb', signet: 'tbs', regtest: 'bcrt', simnet: 'sb' } as const
const unsigned = new Array<number>(104).fill(0)
const sevenWords = (timestamp: number) =>
  Array.from({ length: 7 }, (_, i) => Math.floor(timestamp / 32 ** (6 - i)) % 32)

/** Tenths of an msat in one of each unit: the standard's table, written as what a bitcoin is worth. */
const tenths = { '': 10n ** 12n, m: 10n ** 9n, u: 10n ** 6n, n: 10n ** 3n, p: 1n } as const
const unit = fc.constantFrom('' as const, 'm' as const, 'u' as const, 'n' as const, 'p' as const)
/** A price in any unit that can say it, not only in the shortest. */
const spelled = (msats: bigint, wanted: keyof typeof tenths): string => {
  const found = (msats * 10n) % tenths[wanted] === 0n ? wanted : 'p'
  return `${(msats * 10n) / tenths[found]}${found}`
}
const textOf = (fields: Parameters<typeof writeFields>[0], timestamp: number, prefix: string): string =>
  bech32.encode(prefix, [...sevenWords(timestamp), ...writeFields(fields), ...unsigned], false)
const made = fc.tuple(fieldsOf, unit).map(([{ namesPayee: _names, ...fields }, wanted]) => {
  const { network, msats, timestamp, features = [], routeHints = [], fallbacks = [], ...said } = fields
  const prefix = `ln${names[network]}${msats === undefined ? '' : spelled(msats, wanted)}`
  return { fields, text: textOf({ ...said, features, routeHints, fallbacks }, timestamp, prefix) }
})

describe('what an invoice says', () => {
  test(`is read back whole, its price in whatever unit it is spelled: ${runs} invoices`, { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(made, ({ fields, text }) => {
        const expirySeconds = fields.expirySeconds ?? 3600
        const invoice = {
          ...{ minFinalCltvDelta: 18, ...fields, expirySeconds, bolt11: text },
          expiresAt: fields.timestamp + expirySeconds,
        }
        expect(peekInvoice(text)).toEqual({ ok: true, invoice })
      }),
      { numRuns: runs },
    )
  })

  test(`is what another program reads, where that one can read it: ${runs} invoices`, { timeout: 60_000 }, async () => {
    let agreed = 0
    await fc.assert(
      fc.asyncProperty(made, async ({ fields, text }) => {
        const second = await secondReading(text)
        if (second === undefined) return
        agreed++
        const { msats, hash, description } = fields
        expect(second).toEqual({
          ...(msats === undefined ? {} : { msats }),
          ...{ hash, ...(description === undefined ? {} : { description }) },
        })
      }),
      { numRuns: runs },
    )
    expect(agreed).toBeGreaterThan(runs / 4)
  })

  test(`is never another price than the prefix spells: ${runs} prefixes`, { timeout: 60_000 }, () => {
    const { text } = fc.sample(made, { numRuns: 1, seed: 7 })[0] ?? { text: '' }
    const { words } = bech32.decode(text as `${string}1${string}`, false)
    const digits = fc.oneof(
      fc.bigInt(0n, 10n ** 21n).map(String),
      fc.string({ unit: fc.constantFrom(...'0123456789.-+e_'), maxLength: 6 }),
    )
    const prefix = fc.tuple(
      fc.constantFrom(...Object.values(names), 'xx', ''),
      digits,
      fc.oneof(unit, fc.constantFrom('k', 'mm', 'x')),
    )
    let read = 0
    fc.assert(
      fc.property(prefix, ([network, amount, multiplier]) => {
        const peek = peekInvoice(bech32.encode(`ln${network}${amount}${multiplier}`, words, false))
        if (!peek.ok) return
        read++
        const { msats } = peek.invoice
        if (amount === '') expect([msats, multiplier]).toEqual([undefined, ''])
        else expect((msats ?? 0n) * 10n).toBe(BigInt(amount) * tenths[multiplier as keyof typeof tenths])
        expect(msats === undefined || (msats > 0n && msats <= 21n * 10n ** 17n)).toBe(true)
      }),
      { numRuns: runs },
    )
    expect(read).toBeGreaterThan(runs / 50)
  })

  test('is not believed by those who pay', () => {
    const { text } = fc.sample(made, { numRuns: 1, seed: 7 })[0] ?? { text: '' }
    expect(peekInvoice(text).ok).toBe(true)
    expect(readInvoice(text)).toMatchObject({ ok: false, rule: 'signature' })
  })
})
