/** Bids, tariffs and words about money that try to make a node work for nothing or a client count what it never had. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openClientJob } from '../src/job/client-side.ts'
import { type ClientFact, step } from '../src/job.ts'
import { openPricing } from '../src/node/pricing.ts'
import { openPurse } from '../src/session/purse.ts'
import { openTown } from './node-world.ts'

const far = fc.oneof(
  fc.constantFrom(0n, 1n, 2n ** 31n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n, 10n ** 30n),
  fc.bigInt(0n, 10_000n),
)

describe('prices of tokens', () => {
  test('bill what is bought and no more, at every bid, tariff and flat part', () => {
    fc.assert(
      fc.property(
        fc.record({ flat: far, prompt: far, answer: far, bid: far }),
        fc.record({ promptTokens: fc.nat(1_000_000), maxTokens: fc.integer({ min: 1, max: 1_000_000 }) }),
        ({ flat, prompt, answer, bid }, expected) => {
          const tariff = { promptMsatsPer1k: prompt, answerMsatsPer1k: answer }
          const slots = () => ({ total: 1, busy: 0, queued: 0 })
          const pricing = openPricing({ priceMsats: flat, tariff, surge: false, node: 'n', slots })
          fc.pre(pricing.isMetered)
          const { msats, metered, why } = pricing.ofJob({ bidMsats: bid }, undefined, expected)
          if (why) {
            expect(msats > bid).toBe(true)
            return
          }
          expect(msats <= bid).toBe(true)
          const { maxTokens = 0 } = metered ?? {}
          expect(maxTokens >= 1 && maxTokens <= expected.maxTokens).toBe(true)
          const up = (tokens: number, per1k: bigint) => (BigInt(tokens) * per1k + 999n) / 1_000n
          expect(msats).toBe(flat + up(expected.promptTokens, prompt) + up(maxTokens, answer))
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test.each([0n, 1n, 2n ** 63n, 2n ** 64n, 10n ** 30n])(
    'a bid of %s is answered, and the node goes on',
    async bidMsats => {
      const town = openTown()
      const tariff = { promptMsatsPer1k: 1_000n, answerMsatsPer1k: 1_000n }
      const node = await town.open({ priceMsats: 0n, tariff })
      const odd = town.customer()
      const base = [
        ['p', town.me],
        ['i', 'three small words', 'text'],
        ['param', 'max_tokens', '4'],
      ]
      odd.send({
        kind: 5050,
        created_at: Math.floor(town.clock.now() / 1_000),
        tags: [...base, ['bid', String(bidMsats)]],
        content: '',
      })
      await town.clock.advance(2_000)
      const honest = town.customer().ask('one two', { maxTokens: 4 })
      const bill = await town.until('the bill', () => town.bills(honest)[0])
      expect(bill.msats !== undefined && bill.msats > 0n && bill.msats < 20n).toBe(true)
      expect(town.told.filter(({ event }) => event === 'trouble')).toEqual([])
      await node.close()
    },
  )
})

describe('words about kept money', () => {
  const answer = { text: 'a', model: 'm', promptTokens: 1, outputTokens: 1 }
  const lies = far.map((creditMsats): ClientFact => ({ fact: 'result', by: 'N', answer, creditMsats }))
  const errors = far.map(
    (creditMsats): ClientFact => ({ fact: 'error', by: 'N', why: { code: 'x', says: 'x' }, creditMsats }),
  )
  const moves = fc.constantFrom<ClientFact>(
    { fact: 'quote', quote: { by: 'N', msats: 5n, bolt11: 'b' } },
    { fact: 'cleared', order: { bolt11: 'b', hash: 'h', msats: 5n, expiresAt: 60 } },
    { fact: 'paid', preimage: 'p', feeMsats: 0n },
    { fact: 'pay-failed', why: { code: 'x', says: 'x' } },
    { fact: 'pay-unknown', now: 1 },
    { fact: 'cancel' },
    { fact: 'time', now: 1_000 },
  )

  test('are never believed beyond what was paid, in any order of lies', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(lies, errors, moves), { maxLength: 12 }), facts => {
        let [job] = openClientJob({ id: 'j', node: 'N', capMsats: 10n, now: 0, ttlSeconds: 100 })
        for (const fact of facts) {
          ;[job] = step(job, fact)
          const left = job.pay === undefined || job.pay === 'failed' ? 0n : (job.order?.msats ?? 0n)
          expect((job.creditMsats ?? 0n) <= left).toBe(true)
        }
      }),
      { numRuns: 3_000 },
    )
  })

  test('give a purse nothing that was not taken out of it', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.bigInt(0n, 9n), fc.bigInt(0n, 9n), fc.bigInt(0n, 9n))), rounds => {
        const purse = openPurse(20n)
        let spent = 0n
        for (const [cap, paid, back] of rounds) {
          const hold = purse.hold(cap)
          if (!hold) continue
          const net = paid < cap ? paid : cap
          hold.settle(net - (back < net ? back : net))
          hold.settle(-100n)
          spent += net - (back < net ? back : net)
        }
        expect(purse.budget()).toMatchObject({ spentMsats: spent, heldMsats: 0n })
        expect(spent <= 20n).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })
})
