/**
 * Prints the fixture of the newest schema: `node test/journal-fixture.ts` writes `test/fixtures/journal-vN.sqlite`, with
 * rows in every table and in every state. A released fixture is never written again: it is what users have on their disks.
 * @module
 */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Journal, openJournal } from '../src/journal/index.ts'
import { migrations } from '../src/journal/schema.ts'
import { bill, credit, event, hex, order } from './journal-rows.ts'

export const fixtures = join(import.meta.dirname, 'fixtures')
export const names = { jobs: ['asked', 'served', 'over'], shelves: ['claims', 'channels'] }

/** What every fixture holds, whatever its version. */
export function fill(journal: Journal): void {
  const { jobs, outbox, orders, bills } = journal
  for (const [side, id] of [
    ['client', 'asked'],
    ['node', 'served'],
    ['node', 'over'],
  ] as const) {
    jobs.open({ side, id, at: 1_800_000_000, opening: { id, price: 3000n, key: new Uint8Array([1, 2, 3]) } })
    jobs.fact(side, id, { type: 'billed', msats: 3000n }, 'money')
    jobs.fact(side, id, { type: 'chunk', text: 'half \ud800 a word', rate: 0.5 }, 'plain')
    outbox.keep({ job: id, slot: 'bill', event: event(id.length), until: 1_800_000_600 }, 'money')
  }
  jobs.end('node', 'over', 1_800_000_010)
  outbox.taken(event(4).id)
  for (const [n, state] of (['paid', 'failed', 'unproven', 'planned'] as const).entries()) {
    orders.plan(order(n, { job: 'asked', peer: hex(40 + n) }))
    orders.end(hex(n), { state, ...(state === 'paid' ? { preimage: hex(50), feeMsats: 3n } : {}), at: 1_800_000_000 })
  }
  for (const [n, state] of (['paid', 'void', 'defaulted', 'open'] as const).entries()) {
    bills.add(bill(n, { job: 'served', customer: hex(60), credit: n > 1 }))
    if (state !== 'open') bills.end(hex(n), { state, msats: 1100n, preimage: hex(51), at: 1_800_000_000 })
  }
  bills.credit(credit('late', 500n))
  bills.credit(credit('used', -200n))
  journal.shelf('claims').set('b', { at: 1, bytes: new Uint8Array(300).fill(9) })
  journal.shelf('claims').set('a', [1n, null, 'x'])
  journal.shelf('channels').claim('monitor', new Uint8Array(10_000).fill(5))
}

if (process.argv[1] === import.meta.filename) {
  const path = join(fixtures, `journal-v${migrations.length}.sqlite`)
  if (existsSync(path)) throw new Error(`${path} is there: a fixture that was released stays as it is`)
  const journal = openJournal(path)
  fill(journal)
  journal.close()
  rmSync(`${path}.lock`)
}
