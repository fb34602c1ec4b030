import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seconds } from '../src/clock.ts'
import { proves } from '../src/payments/hash.ts'
import type { PayState } from '../src/payments/payment.ts'
import { restartWorld as world } from './nwc-restart-world.ts'

test('property: killed anywhere, any number of times, every payment is debited once and every answer is true', async () => {
  const act = fc.oneof(
    fc.record({
      do: fc.constant('pay' as const),
      which: fc.nat(3),
      fault: fc.constantFrom('ok', 'hang', 'fail', 'unknown-then-paid', 'unknown-then-failed'),
    }),
    fc.record({ do: fc.constant('again' as const), which: fc.nat(9) }),
    fc.record({ do: fc.constant('kill' as const) }),
    fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(10, 2_000, 70_000) }),
    fc.record({ do: fc.constant('die' as const), where: fc.constantFrom('before', 'after', 'nothing') }),
    fc.record({ do: fc.constant('finish' as const), which: fc.nat(3), end: fc.constantFrom('paid', 'failed') }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 25 }), async acts => {
      const all = world({ budgetMsats: 50_000n })
      const bills = await Promise.all([0, 1, 2, 3].map(n => all.bill(`${n}`, BigInt(n + 1) * 4_000n)))
      const sent: { event: ReturnType<typeof all.request>; hash: string }[] = []
      await all.service.ready
      for (const one of acts) {
        if (one.do === 'pay') {
          const bill = bills[one.which]
          if (!bill) continue
          all.wallet.faults = { pay: one.fault as 'ok' }
          const event = all.request('pay_invoice', { invoice: bill.bolt11 }, { expiresAt: seconds(all.clock) + 60 })
          sent.push({ event, hash: bill.hash })
          all.line.deliver(event)
          await all.clock.advance(1)
        } else if (one.do === 'again') {
          const again = sent[one.which]
          if (again) all.line.deliver(again.event)
        } else if (one.do === 'kill') {
          await all.kill()
          await all.start()
        } else if (one.do === 'die') all.dieIn(one.where as 'before')
        else if (one.do === 'pass') await all.clock.advance(one.ms)
        else if ((await all.wallet.payState(bills[one.which]?.hash ?? '')).state === 'pending')
          all.net.finish(bills[one.which]?.hash ?? '', one.end as 'paid')
      }
      // Everything ends: the wallet settles what is under way, the service is started once more.
      all.dieIn('nothing')
      all.wallet.faults = {}
      for (const { hash } of bills)
        if ((await all.wallet.payState(hash)).state === 'pending') all.net.finish(hash, 'paid')
      await all.kill()
      await all.start()
      await all.clock.advance(600_000)
      const ends = new Map<string, PayState>()
      for (const { hash } of bills) ends.set(hash, await all.wallet.payState(hash))
      const paid = bills.filter(({ hash }) => ends.get(hash)?.state === 'paid')
      expect(await all.debited()).toBe(paid.reduce((sum, { msats }) => sum + msats, 0n))
      expect(all.net.conserved()).toBe(true)
      expect(await all.used()).toBe(Number(await all.debited()))
      for (const { event, hash } of sent)
        for (const body of all.answers(event.id)) {
          if (body.error === null) expect(proves(body.result?.['preimage'], hash)).toBe(true)
        }
      expect([...all.store.shelf.entries('claim ')].every(([, claim]) => JSON.stringify(claim).includes('body'))).toBe(
        true,
      )
    }),
    { numRuns: 200 },
  )
}, 60_000)
