/** JSON of strangers: what cannot reach a prototype is only counted, and that must not show. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isHex } from '../kinds/hex.ts'
import { parseJson } from '../kinds/json.ts'
import { integer } from '../kinds/values.ts'

const runs = { numRuns: 2_000 }

describe('the short ways', () => {
  test('JSON that is counted and JSON that is rebuilt are the same, within the same limits', () => {
    const limits = fc.record({ depth: fc.nat(5), nodes: fc.nat(30) })
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), limits, (value, bounds) => {
        const text = JSON.stringify(value)
        const limited = { ...bounds, chars: 100_000 }
        // An escape is reason enough to rebuild.
        expect(parseJson(`{"a":${text}}`, limited)).toEqual(parseJson(`{"\\u0061":${text}}`, limited))
      }),
      runs,
    )
  })

  test('a key that reaches a prototype is left out, however it is spelled', () => {
    for (const key of ['__proto__', 'constructor', 'prototype', '\\u005f_proto__', 'c\\u006fnstructor'])
      expect(parseJson(`{"${key}":{"x":1},"a":{"${key}":1}}`, { chars: 99, depth: 3, nodes: 9 })).toEqual({ a: {} })
  })

  test('hex is what the pattern says', () => {
    const almost = fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEFg/:`é\ud800'), maxLength: 66 })
    fc.assert(
      fc.property(fc.oneof(almost, fc.stringMatching(/^[0-9a-f]{62,66}$/)), text => {
        expect(isHex(text, 64)).toBe(/^[0-9a-f]{64}$/.test(text))
      }),
      runs,
    )
  })

  test('an integer is what the pattern says', () => {
    const { read } = integer('', -1_000, Number.MAX_SAFE_INTEGER)
    const slow = (text: string): number | undefined => {
      const number = /^-?[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN
      return Number.isSafeInteger(number) && number >= -1_000 ? number + 0 : undefined
    }
    const almost = fc.string({ unit: fc.constantFrom(...'0123456789- .e+/:٣'), maxLength: 18 })
    fc.assert(
      fc.property(fc.oneof(almost, fc.maxSafeInteger().map(String), fc.stringMatching(/^0{0,3}[0-9]{1,17}$/)), text => {
        expect(read([text])).toBe(slow(text))
      }),
      runs,
    )
  })
})
