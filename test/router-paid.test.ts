/** Whoever paid the router's fee is heard, whether it paid before its answer or after, and after a restart too. */
import { expect, test } from 'vitest'
import { memoryJournal } from '../src/journal/memory.ts'
import { readInvoice } from '../src/payments/bolt11.ts'
import { simNet } from '../src/payments/sim.ts'
import { bookWorld, hashOf, pubOf } from './router-book-world.ts'
import { routerWorld } from './router-world.ts'

test('the book is told of a fee that is paid after the answer, once the money is there', async () => {
  const world = await routerWorld()
  const net = simNet({ clock: world.clock, seed: 'paid', pollMs: 200 })
  const payee = net.wallet({ alias: 'router', msats: 0n })
  const payer = net.wallet({ alias: 'customer', msats: 100_000n })
  const router = await world.router({ fee: { msats: 1_000n, payee, line: { startMsats: 5_000n } } })
  await world.node()
  const asker = world.asker()
  const said = await asker.ask(router.pubkey)
  const bolt11 = said?.fee?.bolt11 ?? ''
  const read = readInvoice(bolt11)
  if (!read.ok) throw new Error(read.says)
  expect(router.book.payers.size).toBe(0)
  const { hash, msats = 0n } = read.invoice
  void payer.pay({ bolt11, hash, msats })
  await world.clock.advance(2_000)
  expect([...router.book.payers]).toEqual([asker.pubkey])
  await world.close()
})

test('its word weighs one, and still does in the next process; whoever only owes weighs nothing', async () => {
  const journal = memoryJournal()
  const row = (name: string) => ({
    ...{ hash: hashOf(name), job: hashOf(`job ${name}`), customer: pubOf(name), purpose: 'job' as const, bolt11: '' },
    ...{ msats: 10n, at: 1_800_000_000, expiresAt: 1_800_000_300, credit: true },
  })
  const world = await bookWorld({ journal })
  world.nodes('node')
  for (const name of ['early', 'late', 'debtor']) journal.bills.add({ ...row(name), bolt11: `lnbcrt${name}` })
  world.book.paidFee(pubOf('early'))
  journal.bills.end(hashOf('late'), { state: 'paid', msats: 10n, preimage: hashOf('x'), at: 1_800_000_100 })
  const weightOf = async (customer: string) => {
    const route = await world.route(customer, ['node'])
    const one = world.job(`${customer} ${world.labels().length}`, { customer, routing: route.id })
    world.hear(one.request, one.result, one.ack)
    await world.settle()
    return world.labels().findLast(({ topic, customer: who }) => topic === 'outcome' && who === pubOf(customer))?.weight
  }
  expect([await weightOf('early'), await weightOf('late')]).toEqual([1, 0])
  await world.restart()
  expect([await weightOf('late'), await weightOf('debtor')]).toEqual([1, 0])
  expect(world.troubles()).toEqual([])
})
