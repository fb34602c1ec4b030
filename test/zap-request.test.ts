import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Template } from '../kinds/index.ts'
import { openKeys } from '../src/keys.ts'
import { fromHex, sha256Hex } from '../src/payments/hash.ts'
import {
  checkZapRequest,
  descriptionHashOf,
  receiptFor,
  type ZapExpectation,
  zapRequestFor,
} from '../src/payments/zap.ts'

const keys = await openKeys()
const [customer, node, stranger] = ['c', 'n', 's'].map(name => fromHex(sha256Hex(name))) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
]
const pub = (secret: Uint8Array) => keys.publicKey(secret)
const job = sha256Hex('job')
const ask = { node: pub(node), job, msats: 21_000n, relays: ['wss://relay.example'] }
const expectation: ZapExpectation = {
  ...{ node: pub(node), customer: pub(customer), job, msats: 21_000n, verify: keys.verify },
}
const good = zapRequestFor(ask, 1_800_000_000)
const jsonOf = (template: Template, by = customer) => JSON.stringify(keys.sign(template, by))
/** Replaces the tag that says `value` by tags of the same name. */
const say = (value: string, ...others: string[]): Template => ({
  ...good,
  tags: good.tags.flatMap(tag => (tag[1] === value ? others.map(other => [tag[0] ?? '', other]) : [tag])),
})

describe('checkZapRequest', () => {
  test('a request for this job at this price may be billed', () => {
    expect(checkZapRequest(jsonOf(good), expectation)).toBeUndefined()
    const named = zapRequestFor({ ...ask, zapper: pub(stranger), comment: 'thanks' }, 1_800_000_000)
    expect(checkZapRequest(jsonOf(named), { ...expectation, zapper: pub(stranger) })).toBeUndefined()
  })

  const other = sha256Hex('other')
  test.each<[string, string]>([
    ['request-json', 'lnurl1garbage'],
    ['request-json', JSON.stringify({ ...keys.sign(good, customer), sig: 'x' })],
    ['request-kind', jsonOf({ ...good, kind: 1 })],
    ['request-p', jsonOf(say(pub(node), pub(node), other))],
    ['request-p', jsonOf(say(pub(node)))],
    ['request-e', jsonOf(say(job, job, other))],
    ['request-repeats', jsonOf(say('21000', '21000', '21000'))],
    ['request-relays', jsonOf(say('wss://relay.example'))],
    ['recipient', jsonOf(say(pub(node), other))],
    ['job-binding', jsonOf(say(job, other))],
    ['job-binding', jsonOf(say(job))],
    ['amount-request', jsonOf(say('21000', '20999'))],
    ['request-amount', jsonOf(say('21000', '021000'))],
    ['amount-request', jsonOf(say('21000'))],
    ['zapper-mismatch', jsonOf(zapRequestFor({ ...ask, zapper: pub(stranger) }, 1_800_000_000))],
    ['payer-not-customer', jsonOf(good, stranger)],
    ['request-signature', jsonOf(good).replace('"content":""', '"content":"!"')],
  ])('%s', (reason, json) => expect(checkZapRequest(json, expectation)).toBe(reason))

  test('no text passes or makes it throw', { timeout: 60_000 }, () => {
    const near = jsonOf(good)
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc
        .tuple(fc.nat(near.length - 1), fc.string({ minLength: 1, maxLength: 3 }))
        .map(([i, s]) => near.slice(0, i) + s + near.slice(i + 1)),
    )
    fc.assert(
      fc.property(text, json => {
        // One other character inside the JSON is either refused or, between its parts, says the same.
        if (checkZapRequest(json, expectation) === undefined) expect(JSON.parse(json)).toMatchObject(JSON.parse(near))
      }),
      { numRuns: 1000 },
    )
  })
})

test('a zap request without a relay, or for nothing, is a mistake of ours', () => {
  expect(() => zapRequestFor({ ...ask, relays: [] }, 1)).toThrow(TypeError)
  expect(() => zapRequestFor({ ...ask, node: 'me' }, 1)).toThrow(TypeError)
})

test('the description hash is of the exact bytes', () => {
  const json = jsonOf(good)
  expect(descriptionHashOf(json)).toBe(sha256Hex(json))
  expect(descriptionHashOf(` ${json}`)).not.toBe(descriptionHashOf(json))
})

test('a receipt is made only of a request', () => {
  const paid = { bolt11: `lnbcrt210n1${'q'.repeat(100)}`, preimage: job, paidAt: 1_800_000_010 }
  expect(receiptFor({ ...paid, zapRequestJson: jsonOf(good) }).created_at).toBe(1_800_000_010)
  expect(() => receiptFor({ ...paid, zapRequestJson: '{}' })).toThrow(TypeError)
})
