import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { feedback, textRequest } from '../kinds/index.ts'
import { isRecord, parseEvent, parseJson } from '../kinds/json.ts'
import { amount, decimal, integer, looksLikeInvoice, msats, relayUrl } from '../kinds/values.ts'
import { eventOf } from './suites/kinds.ts'

const runs = { numRuns: 1000 }
const money = fc.bigInt({ min: 1n, max: 2_100_000_000_000_000_000n })

describe('values', () => {
  test('a user’s text never becomes a tag, whatever it holds', () => {
    fc.assert(
      fc.property(fc.json(), data => {
        const value = {
          inputs: [{ data, type: 'text' as const }],
          relays: [],
          providers: [],
          stream: false,
          receipt: false,
        }
        const sealed = textRequest.write(value, 1, text => JSON.stringify(text))
        expect(textRequest.read(eventOf(5050, sealed), JSON.parse(sealed.content) as string)).toStrictEqual({
          ok: true,
          value,
        })
      }),
      runs,
    )
  })

  test('money is whole digits or unknown', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), money.map(String)), said => {
        const read = msats.read([said])
        expect(read === undefined || /^[0-9]+$/.test(said)).toBe(true)
        expect(amount.read([said])?.msats).toBe(read === 0n ? undefined : read)
      }),
      runs,
    )
    expect([' 1', '1 ', '+1', '-1', '1.0', '1e3', '0x1', '１', '9'.repeat(20)].map(said => msats.read([said]))).toEqual(
      Array(9).fill(undefined),
    )
    expect(amount.read(['0', 'lightning:LNBC10N1PJ75JUDPP'])).toEqual({ bolt11: 'LNBC10N1PJ75JUDPP' })
    expect(amount.read(['5', 'lnurl1dp68gurn8ghj7'])).toEqual({ msats: 5n })
  })

  test('numbers are numbers', () => {
    const half = decimal('', -2, 2)
    expect(
      ['0.5', '-0', '1e-1', '2', '.5', '1.', 'NaN', 'Infinity', '1e9', '', ' 1', '0x1'].map(said => half.read([said])),
    ).toEqual([0.5, 0, 0.1, 2, undefined, 1, undefined, undefined, undefined, undefined, undefined, undefined])
    expect(integer('', 0, 10).read(['11'])).toBe(undefined)
    expect(Object.is(integer('', 0, 10).read(['-0']), 0)).toBe(true)
  })

  test('no pattern runs away on long input', { timeout: 20_000 }, () => {
    for (const digit of ['1', 'a', '/', '=', '.', ' '])
      for (const said of [
        `lnbc${digit.repeat(500_000)}!`,
        `${digit.repeat(500_000)}!`,
        `wss://a/${digit.repeat(500_000)}!`,
      ]) {
        looksLikeInvoice(said)
        relayUrl(said)
        msats.read([said])
        decimal('', 0, 1).read([said])
        feedback.read(
          eventOf(7000, {
            tags: [
              ['amount', said, said],
              ['status', said],
            ],
            content: said,
          }),
        )
      }
    expect(looksLikeInvoice(`lnbc${'1'.repeat(8_000)}`)).toBe(true)
  })
})

describe('JSON of strangers', () => {
  const limits = { chars: 1_000_000, depth: 4, nodes: 1_000 }

  test('is the same as JSON.parse without keys that reach a prototype', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), said => {
        const read = parseJson(said, { chars: 1e6, depth: 10, nodes: 1e6 })
        expect(JSON.stringify(read)).toBe(
          JSON.stringify(
            JSON.parse(said, (key, value: unknown) =>
              ['__proto__', 'constructor', 'prototype'].includes(key) ? undefined : value,
            ),
          ),
        )
      }),
      runs,
    )
    const read = parseJson(
      '{"a":{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},"b":1}}',
      limits,
    )
    expect(read).toEqual({ a: { b: 1 } })
    expect(isRecord(read) && Object.getPrototypeOf(read['a']) === Object.prototype).toBe(true)
  })

  test('has limits of depth, width and size', () => {
    expect(parseJson('[[[[1]]]]', limits)).toEqual([[[[1]]]])
    expect(parseJson('[[[[[1]]]]]', limits)).toBe(undefined)
    expect(parseJson(`${'['.repeat(200_000)}${']'.repeat(200_000)}`, limits)).toBe(undefined)
    expect(parseJson(`[${'1,'.repeat(1_000)}1]`, limits)).toBe(undefined)
    expect(parseJson(`"${'x'.repeat(1_000_000)}"`, limits)).toBe(undefined)
    expect(parseJson('{', limits)).toBe(undefined)
  })

  test('is an event only in the shape of NIP-01', () => {
    const good = eventOf(1, { tags: [['a']], content: 'x' })
    expect(parseEvent(JSON.stringify({ ...good, extra: 1 }))).toEqual(good)
    for (const part of [
      { id: 'x' },
      { pubkey: 7 },
      { kind: -1 },
      { kind: 65_536 },
      { created_at: 1.5 },
      { tags: [[1]] },
      { tags: {} },
      { content: null },
      { sig: '00' },
    ])
      expect(parseEvent(JSON.stringify({ ...good, ...part }))).toBe(undefined)
  })
})
