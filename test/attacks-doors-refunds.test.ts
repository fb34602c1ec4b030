/** Customers who let their refunds hang: a held invoice costs them nothing and must not keep others from their money. */
import { expect, test } from 'vitest'
import { creditClaim } from '../kinds/index.ts'
import { handClock, seconds } from '../src/clock.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { openRefunds } from '../src/node/refunds.ts'
import { simNet } from '../src/payments/sim.ts'
import { keys } from './node-world.ts'

test('sixty-four of them hold up the others for a minute, and not until their payments end', async () => {
  const clock = handClock()
  const net = simNet({ clock })
  const payer = net.wallet({ alias: 'node', msats: 10_000_000n })
  const payee = net.wallet({ alias: 'customers', msats: 0n })
  const journal = memoryJournal()
  const node = keys.publicKey(keys.newSecret())
  const hanging = new Set<string>()
  const slow: typeof payer = new Proxy(payer, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        const [order] = args
        const hash = typeof order === 'object' && order !== null && 'hash' in order ? String(order.hash) : ''
        return name === 'pay' && hanging.has(hash) ? new Promise(() => {}) : Reflect.apply(member, target, args)
      }
    },
  })
  const done: (string | undefined)[] = []
  const closing = new AbortController()
  const refunds = openRefunds({
    ...{
      journal,
      clock,
      payer: slow,
      node,
      left() {},
      signal: closing.signal,
      network: async () => (await payer.info()).network,
    },
    tell: ({ event, customer }) => event === 'refunded' && done.push(customer),
  })
  const claim = async (hangs: boolean) => {
    const secret = keys.newSecret()
    const customer = keys.publicKey(secret)
    const job = keys.publicKey(keys.newSecret())
    const at = seconds(clock)
    journal.bills.credit({ id: `over:${job}`, customer, job, msats: 1_000n, why: 'paid', at })
    const bill = await payee.bill({ key: job, msats: 1_000n, expirySeconds: 3_600, description: 'x' })
    if (hangs) hanging.add(bill.hash)
    const event = keys.sign(creditClaim.write({ job, node, bolt11: bill.bolt11 }, at), secret)
    refunds.take(event)
    return { customer, again: () => refunds.take(event) }
  }
  for (let i = 0; i < 64; i++) await claim(true)
  const honest = await claim(false)
  for (let i = 0; i < 20; i++) await clock.advance(100)
  expect(done).toEqual([])
  await clock.advance(60_000)
  honest.again()
  for (let i = 0; i < 50 && done.length === 0; i++) await clock.advance(100)
  expect(done).toEqual([honest.customer])
  // Nobody is paid twice, and what hangs stays booked.
  honest.again()
  await clock.advance(1_000)
  expect(done).toHaveLength(1)
  expect(journal.orders.list({ state: 'planned', limit: 1_000 })).toHaveLength(64)
  closing.abort()
})
