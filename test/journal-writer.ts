/**
 * A process that writes money rows into a journal and says each one once it is kept, until it is killed: `node
 * test/journal-writer.ts PATH FIRST [END]`. Each line is a number; everything that belongs to it was written before.
 * @module
 */
import { writeSync } from 'node:fs'
import { openJournal } from '../src/journal/index.ts'
import { bill, credit, event, hex, order } from './journal-rows.ts'

const [, , path = '', first = '0', end = 'Infinity'] = process.argv
const journal = openJournal(path)
for (let n = Number(first); n < Number(end); n++) {
  journal.orders.plan(order(n, { job: `${n}` }))
  journal.orders.end(hex(n), { state: 'paid', preimage: hex(n), feeMsats: BigInt(n), at: n })
  journal.atomically(() => {
    journal.jobs.open({ side: 'node', id: `${n}`, at: n, opening: { n } })
    journal.outbox.keep({ job: `${n}`, slot: 'answer', event: event(n), until: n + 100 }, 'plain')
    journal.bills.add(bill(n))
    journal.bills.credit(credit(`${n}`, BigInt(n)))
  })
  journal.jobs.fact('node', `${n}`, { n }, 'plain')
  journal.shelf('s').set(`${n % 50}`, n)
  writeSync(1, `${n}\n`)
}
