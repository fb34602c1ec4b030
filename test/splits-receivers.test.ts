/** Receivers of shares that are deaf or lie: they get nothing. */
import { describe, expect, test } from 'vitest'
import type { Feedback } from '../kinds/index.ts'
import { seconds } from '../src/clock.ts'
import { openKeys } from '../src/keys.ts'
import { readInvoice, writeInvoice } from '../src/payments/bolt11.ts'
import { sha256Hex } from '../src/payments/hash.ts'
import { keeps } from './promises.ts'
import { funds, passTime, price, rogue, type SplitTown, within } from './splits-town.ts'

const keys = await openKeys()
const half = 1_001n

type Rogue = Parameters<typeof rogue> extends [unknown, unknown, unknown, ...infer How] ? How : never

describe('receivers', () => {
  const secret = keys.newSecret()
  const strangers = [keys.publicKey(secret)]
  /** An honest bill, twisted in one place. */
  const lie = (says: RegExp, twist: Partial<Feedback> | ((bill: Feedback) => Partial<Feedback>), ...how: Rogue) =>
    within({ weights: [1], strangers }, async (town, clock) => {
      const { world, seller } = town
      const payee = await wallet(town)
      await rogue(
        world,
        secret,
        async ({ job, msats, json }) => {
          const ask = { key: 'k', msats, expirySeconds: 600, descriptionHash: sha256Hex(json) }
          const { bolt11 } = await payee.bill(ask)
          const bill: Feedback = { job, status: 'payment-required', says: '', content: '', msats, bolt11 }
          return typeof twist === 'function' ? twist(bill) : { ...bill, ...twist }
        },
        ...how,
      )
      const outcome = await passTime(clock, town.ask())
      expect(outcome).toMatchObject({ ok: true, splits: [{ pubkey: strangers[0] }] })
      expect(outcome.splits?.[0]?.says).toMatch(says)
      expect(outcome.msats).toBeLessThan(price)
      expect(await town.payer.balance()).toBe(funds - outcome.msats)
      expect(await seller.wallet.balance()).toBe(outcome.msats)
      expect(town.journal.orders.list()).toHaveLength(1)
      expect(town.journal.jobs.unfinished('client')).toEqual([])
      await payee.close()
    })
  const wallet = async (town: { net: SplitTown['net'] }) => town.net.wallet({ alias: 'rogue', msats: 0n })

  keeps('pay.splits', 'a deaf one is waited for ten seconds, asked again meanwhile, and gets nothing', () =>
    within({ weights: [1], strangers }, async (town, clock) => {
      let asked = 0
      await town.world.connect().listen([{ kinds: [21_059], '#p': strangers }], { onEvent: () => void asked++ }).live
      const began = seconds(clock)
      const outcome = await passTime(clock, town.ask())
      expect(outcome).toMatchObject({ ok: true, splits: [{ state: 'unanswered' }] })
      expect(seconds(clock) - began).toBeLessThan(20)
      expect(asked).toBe(3)
      expect((await town.gains()).at(-1)).toBe(-outcome.msats)
      expect(town.journal.jobs.unfinished('client')).toEqual([])
    }),
  )

  keeps('pay.splits', 'one that bills too much gets nothing', async () => {
    for (const more of [1n, 10n])
      await within({ weights: [1], strangers }, async (town, clock) => {
        const payee = await wallet(town)
        await rogue(town.world, secret, async ({ msats, json }) => {
          const ask = { key: 'k', msats: msats + more, expirySeconds: 600, descriptionHash: sha256Hex(json) }
          const { bolt11 } = await payee.bill(ask)
          // It says so, or it says that it bills its share.
          return { msats: more === 1n ? msats : msats + more, bolt11 }
        })
        const outcome = await passTime(clock, town.ask({ capMsats: funds }))
        expect(outcome.splits).toMatchObject([{ state: 'refused' }])
        expect(await payee.balance()).toBe(0n)
        expect(await town.payer.balance()).toBe(funds - outcome.msats)
        await payee.close()
      })
  })

  keeps('pay.splits', 'one that bills with an invoice for something else gets nothing', () => {
    let bolt11 = ''
    return within({ weights: [1], strangers }, async (town, clock) => {
      const payee = await wallet(town)
      const made = await payee.bill({ key: 'k', msats: half, expirySeconds: 600, description: 'a coat' })
      bolt11 = made.bolt11
      await rogue(town.world, secret, async () => ({ msats: half, bolt11 }))
      const outcome = await passTime(clock, town.ask())
      expect(outcome.splits).toMatchObject([{ state: 'refused' }])
      expect(outcome.splits?.[0]?.says).toContain('does not commit to the zap request')
      await payee.close()
    })
  })

  keeps('pay.splits', 'the hash of the invoice that paid the node is never paid again', () =>
    within({ weights: [1], strangers }, async (town, clock) => {
      await rogue(town.world, secret, async ({ msats, json }) => {
        const paid = readInvoice(town.journal.orders.list()[0]?.bolt11 ?? '')
        const hash = paid.ok ? paid.invoice.hash : ''
        const times = { timestamp: seconds(clock), expirySeconds: 600 }
        const fields = { network: 'regtest', msats, hash, secret: hash, descriptionHash: sha256Hex(json) } as const
        return { msats, bolt11: writeInvoice({ ...fields, ...times }, secret) }
      })
      const outcome = await passTime(clock, town.ask())
      expect(outcome.splits).toMatchObject([{ state: 'refused' }])
      expect(outcome.splits?.[0]?.says).toContain('payment hash was ordered before')
      expect((await town.gains()).at(-1)).toBe(-outcome.msats)
    }),
  )

  keeps('pay.splits', 'one that bills twice is paid once', () =>
    within({ weights: [1, 1] }, async (town, clock) => {
      const [other] = town.others
      const payee = await wallet(town)
      await rogue(town.world, other?.secret ?? secret, async ({ msats, json }) => {
        const { bolt11 } = await payee.bill({ key: 'k', msats, expirySeconds: 600, descriptionHash: sha256Hex(json) })
        return { msats, bolt11 }
      })
      const outcome = await passTime(clock, town.ask())
      expect(outcome).toMatchObject({ ok: true, msats: price, splits: [{ state: 'paid' }] })
      const [, gained = 0n, payer] = await town.gains()
      expect(gained + (await payee.balance())).toBe(outcome.splits?.[0]?.msats)
      expect(payer).toBe(-price)
      expect(town.journal.orders.list()).toHaveLength(2)
      await payee.close()
    }),
  )

  test('a bill that somebody else signed is not heard', () => lie(/no bill in time/, {}, keys.newSecret()))
  test('a bill that was changed after it was signed is not heard', () =>
    lie(/no bill in time/, {}, secret, bill => ({ ...bill, content: 'x' })))
  test('a bill for another job is not heard', () => lie(/no bill in time/, { job: 'ab'.repeat(32) }))
  test('words that are no bill are not heard', () => lie(/no bill in time/, { status: 'error', says: 'Go away.' }))
  test('a bill without an invoice is refused', () => lie(/no invoice/, ({ msats = 1n }) => ({ msats })))
  test('a bill on other terms is refused', () => lie(/not asked for/, { terms: { word: 'hold' } }))
})
