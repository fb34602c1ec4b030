/** The harness itself: parts that are wrong on purpose, and the rule by which each is caught. */
import { describe, expect, test } from 'vitest'
import { type PaidJobOptions, playPaidJob, type Spoiled } from './chaos/paid-job.ts'
import { judge, type Verdict } from './chaos/verdict.ts'

const verdictOf = async (spoiled: Spoiled, more: Partial<PaidJobOptions> = {}): Promise<Verdict> =>
  judge(await playPaidJob({ relays: [[]], seed: 7, spoiled, ...more }))

describe('a planted fault is caught', () => {
  test('a client that pays every invoice that it is shown', async () => {
    const { broken } = await verdictOf({
      payer: (payer, shop) => ({
        ...payer,
        async pay(order, signal) {
          const another = await shop.bill({ key: 'again', msats: order.msats, expirySeconds: 60, description: 'again' })
          await payer.pay(another)
          return payer.pay(order, signal)
        },
      }),
    })
    expect(broken).toEqual(expect.arrayContaining(['paid-twice', 'hidden', 'unseen']))
  })

  test('a client that takes a time-out for a failure', async () => {
    const { broken } = await verdictOf({
      payer: payer => ({
        ...payer,
        async pay(order, signal) {
          await payer.pay(order, signal)
          return { state: 'failed', code: 'TIMEOUT', says: 'No answer.' }
        },
      }),
    })
    expect(broken).toContain('hidden')
  })

  test('a node that works on anything that looks like a receipt', async () => {
    const { broken } = await verdictOf({
      payer: payer => ({ ...payer, pay: async () => ({ state: 'failed', code: 'NO', says: 'Keeps its money.' }) }),
      payee: payee => ({
        ...payee,
        watch(_, onSettled) {
          onSettled({ state: 'settled', msats: 2_000n, preimage: '00'.repeat(32), at: 0 })
          return () => {}
        },
      }),
    })
    expect(broken).toContain('free-work')
  })

  test('a node that never hears of its money', async () => {
    const { broken } = await verdictOf({
      payee: payee => ({ ...payee, watch: () => () => {}, billState: async () => ({ state: 'expired' }) }),
    })
    expect(broken).toEqual(expect.arrayContaining(['lost', 'unseen']))
  })

  test('a node that answers something else', async () => {
    expect((await verdictOf({ runner: 'lies' })).broken).toEqual(['wrong-answer'])
  })

  test('a node whose work fails keeps credit, and that is no broken rule', async () => {
    expect(await verdictOf({ runner: 'dies' })).toEqual({ broken: [], word: 'credit' })
  })
})
