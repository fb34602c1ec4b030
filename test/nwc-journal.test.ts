/** The service and the client on a real journal: what they kept is there for the process that opens the file next. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openJournal } from '../src/journal/index.ts'
import type { Journal } from '../src/journal/journal.ts'
import { proves } from '../src/payments/hash.ts'
import type { NwcStore } from '../src/payments/nwc/store.ts'
import { serviceWorld } from './nwc-wire.ts'
import { serve } from './nwc-world.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path(tmpdir(), 'gridstr-nwc-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** As the command line wires it: one shelf for each connection. */
const storeOf = (journal: Journal): NwcStore => ({
  shelf: journal.shelf('nwc test'),
  atomically: (write, weight) => journal.atomically(write, weight),
})

test('killed between the claim and the answer: the next process answers from the file, and nothing is debited twice', async () => {
  const file = path(folder, 'journal.db')
  const first = openJournal(file)
  const budgetMsats = 20_000n
  const world = serviceWorld({ store: storeOf(first), budgetMsats })
  const { mine, line, clock, conn, request, answers, bill, service, ask } = world
  await service.ready
  const pay = mine.pay.bind(mine)
  mine.pay = async (order, signal) => {
    await pay(order, signal)
    return new Promise(() => {})
  }
  const { bolt11, hash } = await bill('a', 5_000n)
  const event = request('pay_invoice', { invoice: bolt11 })
  line.deliver(event)
  await clock.advance(100)
  await service.close()
  first.close()

  const second = openJournal(file)
  mine.pay = () => Promise.reject(new Error('paid twice'))
  const next = serve(conn, mine, line.relays, clock, { store: storeOf(second), budgetMsats })
  await next.ready
  line.deliver(event)
  await clock.advance(5_000)
  expect(proves(answers(event.id)[0]?.result?.['preimage'], hash)).toBe(true)
  expect((await ask('get_budget')).result).toMatchObject({ used_budget: 5_000 })
  expect(await mine.balance()).toBe(995_000n)
  await next.close()
  second.close()
})

test('a reservation whose claim cannot be written is undone with it', () => {
  const journal = openJournal(path(folder, 'journal.db'))
  const store = storeOf(journal)
  const write = () =>
    store.atomically(() => {
      store.shelf.set('spent a', { msats: 5n, fee: 0n, at: 1, settled: false }, 'money')
      throw new Error('the claim failed')
    })
  expect(write).toThrow('the claim failed')
  expect([...store.shelf.entries()]).toEqual([])
  journal.close()
})
