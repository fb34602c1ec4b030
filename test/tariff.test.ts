/** Prices of tokens: what they cost, what a bid buys, and that no rounding makes a millisatoshi. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openNodeJob } from '../src/job/node-side.ts'
import type { NodeJob } from '../src/job.ts'
import { type Metered, meteredMsats, tokensFor } from '../src/ledger/tariff.ts'
import { openCounting } from '../src/node/counting.ts'
import { openPricing } from '../src/node/pricing.ts'

const msats = fc.oneof(fc.bigInt(0n, 3n), fc.bigInt(0n, 5_000n), fc.bigInt(0n, 10n ** 12n))
const tokens = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 200_000 }))
const price: fc.Arbitrary<Metered> = fc.record({ flatMsats: msats, promptMsatsPer1k: msats, answerMsatsPer1k: msats })
const runs = { numRuns: 3_000 }

const pricingOf = ({ flatMsats, ...tariff }: Metered) =>
  openPricing({
    ...{ priceMsats: flatMsats, tariff, surge: false, node: 'N' },
    slots: () => ({ total: 1, busy: 0, queued: 0 }),
  })

describe('what tokens cost', () => {
  test('each kind of token is rounded up by itself, and the flat part is always owed', () => {
    const of = { flatMsats: 7n, promptMsatsPer1k: 1n, answerMsatsPer1k: 2_500n }
    expect(meteredMsats(of, 0, 0)).toBe(7n)
    expect(meteredMsats(of, 1, 0)).toBe(8n)
    expect(meteredMsats(of, 1_000, 0)).toBe(8n)
    expect(meteredMsats(of, 1_001, 1)).toBe(7n + 2n + 3n)
    expect(meteredMsats(of, 1, 3)).toBe(7n + 1n + 8n)
  })

  test('it is never below nothing, never below the flat part, and more tokens never cost less', () => {
    fc.assert(
      fc.property(price, tokens, tokens, tokens, tokens, (of, prompt, answer, more, longer) => {
        const cost = meteredMsats(of, prompt, answer)
        expect(cost >= of.flatMsats && of.flatMsats >= 0n).toBe(true)
        expect(meteredMsats(of, prompt + more, answer + longer) >= cost).toBe(true)
        // Within one millisatoshi for each kind of token of what exact fractions would cost.
        const thousandths = BigInt(prompt) * of.promptMsatsPer1k + BigInt(answer) * of.answerMsatsPer1k
        const over = (cost - of.flatMsats) * 1_000n - thousandths
        expect(over >= 0n && over < 2_000n).toBe(true)
      }),
      runs,
    )
  })

  test('counts that are none cost nothing', () => {
    const of = { flatMsats: 1n, promptMsatsPer1k: 5n, answerMsatsPer1k: 5n }
    for (const odd of [-1, -5_000, Number.NaN, Number.POSITIVE_INFINITY, 0.5, -Number.MAX_VALUE])
      expect(meteredMsats(of, odd, odd)).toBe(1n)
  })

  test('a bid buys as many tokens as it pays for, and not one less', () => {
    fc.assert(
      fc.property(price, tokens, tokens, msats, (of, prompt, most, bid) => {
        const bought = tokensFor(of, prompt, most, bid)
        if (bought < 0) {
          expect(meteredMsats(of, prompt, 0) > bid).toBe(true)
          return
        }
        expect(bought).toBeLessThanOrEqual(most)
        expect(meteredMsats(of, prompt, bought) <= bid).toBe(true)
        if (bought < most) expect(meteredMsats(of, prompt, bought + 1) > bid).toBe(true)
      }),
      runs,
    )
  })
})

describe('what a job is billed', () => {
  const answered = fc.record({ prompt: tokens, most: tokens, used: fc.double({ min: 0, max: 1, noNaN: true }) })

  test('no more than the bid and the full price, and what it costs is never above that', () => {
    fc.assert(
      fc.property(price, answered, fc.option(msats, { nil: undefined }), (of, { prompt, most, used }, bidMsats) => {
        const pricing = pricingOf(of)
        const bid = bidMsats === undefined ? {} : { bidMsats }
        const full = meteredMsats(of, prompt, most)
        const priced = pricing.ofJob(bid, undefined, { promptTokens: prompt, maxTokens: most })
        if (!pricing.isMetered) return
        if (priced.why) {
          expect(priced.why.code).toBe('underbid')
          expect(priced.why.says).toContain(`${bidMsats}`)
          expect(priced.why.says).toContain(`${priced.msats} msats`)
          expect((bidMsats ?? full) < meteredMsats(of, prompt, Math.min(1, most))).toBe(true)
          // Whoever bids what it says is served.
          expect(
            pricing.ofJob({ bidMsats: priced.msats }, undefined, { promptTokens: prompt, maxTokens: most }).why,
          ).toBeUndefined()
          return
        }
        expect(priced.msats <= full && (bidMsats === undefined || priced.msats <= bidMsats)).toBe(true)
        if (bidMsats === undefined || bidMsats >= full) expect(priced.msats).toBe(full)
        const { metered } = priced
        if (!metered) throw new Error('tokens are counted')
        expect(metered.maxTokens >= Math.min(1, most) && metered.maxTokens <= most).toBe(true)
        const cost = meteredMsats(metered, metered.promptTokens, Math.floor(metered.maxTokens * used))
        expect(cost >= 0n && cost <= priced.msats).toBe(true)
      }),
      runs,
    )
  })

  test('a higher bid never buys fewer tokens', () => {
    fc.assert(
      fc.property(price, tokens, tokens, msats, msats, (of, prompt, most, bid, more) => {
        const pricing = pricingOf(of)
        if (!pricing.isMetered) return
        const at = (bidMsats: bigint) =>
          pricing.ofJob({ bidMsats }, undefined, { promptTokens: prompt, maxTokens: most }).metered?.maxTokens ?? -1
        expect(at(bid + more)).toBeGreaterThanOrEqual(at(bid))
      }),
      runs,
    )
  })

  test('before the tokens are known only the flat part is held against the bid', () => {
    const pricing = pricingOf({ flatMsats: 100n, promptMsatsPer1k: 10n, answerMsatsPer1k: 20n })
    expect(pricing.ofJob({ bidMsats: 99n }, undefined).why?.code).toBe('underbid')
    expect(pricing.ofJob({ bidMsats: 100n }, undefined).why).toBeUndefined()
  })

  test('an embedding has no answer to be paid: its bid needs to buy the prompt only', () => {
    const pricing = pricingOf({ flatMsats: 0n, promptMsatsPer1k: 1_000n, answerMsatsPer1k: 1_000n })
    const priced = pricing.ofJob({ bidMsats: 8n }, undefined, { promptTokens: 8, maxTokens: 0 })
    expect(priced).toMatchObject({ msats: 8n, metered: { maxTokens: 0 } })
    expect(priced.why).toBeUndefined()
  })
})

test('withdrawn work costs its prompt and the tokens that were made of it, those of earlier parts too', () => {
  const [opened] = openNodeJob({ id: 'j', customer: 'c', msats: 9n, when: 'parts', parts: 2, now: 0, ttlSeconds: 9 })
  const price = { flatMsats: 1n, promptMsatsPer1k: 1_000n, answerMsatsPer1k: 10_000n, promptTokens: 3, maxTokens: 9 }
  const counting = openCounting(price)
  const job: NodeJob = { ...opened, soFar: { text: 'a', model: 'm', promptTokens: 3, outputTokens: 4 } }
  counting.begin(job)
  counting.said()
  expect(counting.of({ fact: 'cancel' })).toEqual({ fact: 'cancel', costMsats: 1n + 3n + 50n })
  counting.begin(job)
  expect(counting.of({ fact: 'cancel' })).toMatchObject({ costMsats: 1n + 3n + 40n })
  expect(counting.of({ fact: 'again' })).toEqual({ fact: 'again' })
  expect(openCounting(undefined).of({ fact: 'cancel' })).toEqual({ fact: 'cancel' })
})

describe('a tariff that cannot be kept is said at the start', () => {
  const base = { priceMsats: 0n, surge: false, node: 'N', slots: () => ({ total: 1, busy: 0, queued: 0 }) }
  const tariff = { promptMsatsPer1k: 1n, answerMsatsPer1k: 1n }

  test('with shares, with surge, and below nothing', () => {
    const splits = [{ pubkey: 'M', relay: '', weight: 1 }]
    expect(() => openPricing({ ...base, tariff, splits })).toThrow(/--split/)
    expect(() => openPricing({ ...base, tariff, surge: true })).toThrow(/--surge/)
    expect(() => openPricing({ ...base, tariff: { ...tariff, answerMsatsPer1k: -1n } })).toThrow(/0 or more/)
  })

  test('a tariff of nothing is no tariff', () => {
    const pricing = openPricing({ ...base, priceMsats: 5n, tariff: { promptMsatsPer1k: 0n, answerMsatsPer1k: 0n } })
    expect(pricing.isMetered).toBe(false)
    expect(pricing.posted('now')).toEqual([{ msats: 5n, unit: 'job' }])
  })

  test('what is posted: both units, and the flat part where there is one', () => {
    expect(pricingOf({ flatMsats: 0n, ...tariff }).posted('announced')).toEqual([
      { msats: 1n, unit: '1k-in' },
      { msats: 1n, unit: '1k-out' },
    ])
    expect(pricingOf({ flatMsats: 3n, ...tariff }).posted('now')[0]).toEqual({ msats: 3n, unit: 'job' })
    expect(pricingOf({ flatMsats: 3n, ...tariff }).nowMsats(2_000)).toBe(3n + 1n + 2n)
  })
})
