import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PayOrder, PayState } from '../src/payments/payment.ts'
import { nwcWorld } from './nwc-world.ts'

test('over a relay that loses, doubles and reorders, every payment ends known and nothing is debited twice', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 31 - 2 }), async seed => {
      const { client, hub, net, mine, shop, clock, until, service } = nwcWorld({
        client: { payMs: 10_000, askMs: 2_000 },
      })
      await service.ready
      let state = seed
      // Park and Miller's generator.
      const random = () => {
        state = (state * 48_271) % (2 ** 31 - 1)
        return state / (2 ** 31 - 1)
      }
      hub.faults = { drop: 0.3, duplicate: 0.3, reorder: 0.3, reorderMs: 3_000, random }
      const orders: PayOrder[] = await Promise.all(
        [1, 2, 3].map(n => shop.bill({ key: `${n}`, msats: 1_000n, expirySeconds: 86_400, description: '' })),
      )
      const said = await until(Promise.all(orders.map(order => client.pay(order))))
      const paidOut = 10_000_000n - (await mine.balance())
      for (const [at, { state }] of said.entries()) {
        const row = await mine.transaction(orders[at]?.hash ?? '')
        if (state === 'paid') expect(row?.state).toBe('settled')
        if (state === 'failed' || state === 'unsent') expect(row).toBeUndefined()
      }
      // The books are asked until they answer; what never reached the wallet is sent again once it is void.
      let ends: PayState[] = said
      for (let i = 0; i < 100 && ends.some(end => end.state !== 'paid'); i++) {
        await clock.advance(30_000)
        ends = await until(Promise.all(orders.map(order => client.pay(order))))
      }
      expect(ends.map(end => end.state)).toEqual(['paid', 'paid', 'paid'])
      expect(await mine.balance()).toBe(10_000_000n - 3_000n)
      expect(paidOut).toBeLessThanOrEqual(3_000n)
      expect(net.conserved()).toBe(true)
      await client.close()
    }),
    { numRuns: 50 },
  )
}, 30_000)
