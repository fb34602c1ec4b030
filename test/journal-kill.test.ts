/** A process that writes money is killed again and again; nothing that it said was kept is missing, and nothing is half. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { openJournal } from '../src/journal/index.ts'
import { bill, credit, event, hex, order } from './journal-rows.ts'

const KILLS = 60
const AT_ONCE = 4

/** Starts a writer, kills it after `lines` acknowledgements and a bit, and gives the last number it said. */
async function killedAfter(path: string, first: number, lines: number): Promise<number> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'journal-writer.ts'), path, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(dirname(path), 'compiled') },
  })
  const end = once(child, 'close')
  let said = first - 1
  let seen = 0
  for await (const line of createInterface({ input: child.stdout })) {
    said = Number(line)
    if (++seen === lines) setImmediate(() => child.kill('SIGKILL'))
  }
  await end
  return said
}

/** One journal through its share of the kills. */
async function life(path: string, kills: number, random: () => number): Promise<number> {
  let next = 0
  for (let kill = 0; kill < kills; kill++) {
    const said = await killedAfter(path, next, 1 + Math.floor(random() * 12))
    const journal = openJournal(path)
    const orders = journal.orders.list({ limit: 10_000 })
    // The one that was being written may be there or not, but never half.
    expect([said, said + 1]).toContain(orders.length - 1)
    for (let n = next; n <= said; n++) {
      const paid = { ...order(n, { job: `${n}` }), state: 'paid', preimage: hex(n), feeMsats: BigInt(n), endedAt: n }
      expect(journal.orders.get(hex(n))).toEqual(paid)
      expect(journal.bills.get(hex(n))).toEqual({ ...bill(n), state: 'open' })
      expect(journal.jobs.find('node', `${n}`)?.facts).toEqual([{ n }])
      expect(journal.outbox.of(`${n}`).map(word => word.event)).toEqual([event(n)])
      const newest = Number(journal.shelf('s').get(`${n % 50}`))
      expect([newest >= n, newest <= said + 1, newest % 50]).toEqual([true, true, n % 50])
    }
    const half = said + 1
    const together = [
      journal.jobs.find('node', `${half}`) !== undefined,
      journal.outbox.of(`${half}`).length > 0,
      journal.bills.get(hex(half)) !== undefined,
      journal.bills.credits({ limit: 10_000 }).some(row => row.id === `${half}`),
    ]
    expect(new Set(together).size, `half of ${half}: ${together}`).toBe(1)
    const kept = journal.bills.credits({ limit: 10_000 }).reduce((sum, row) => sum + row.msats, 0n)
    expect(journal.bills.creditMsats(credit('', 0n).customer)).toBe(kept)
    journal.close()
    // The writer goes on after what it said; what it had begun is there once, whatever it does.
    next = said + 1
    if (orders.length - 1 === next) next++
  }
  const db = new DatabaseSync(path, { readOnly: true })
  expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
  db.close()
  return next
}

test(`${KILLS} kills lose nothing`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gridstr-journal-kill-'))
  // A killed process leaves no compiled code behind for the next: one that ends well leaves it for all of them.
  execFileSync(process.execPath, [join(import.meta.dirname, 'journal-writer.ts'), join(folder, 'warm'), '0', '1'], {
    env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') },
  })
  let seed = 20_261_121
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed / 2_147_483_648
  }
  const lives = Array.from({ length: AT_ONCE }, (_, n) => life(join(folder, `${n}`), KILLS / AT_ONCE, random))
  const written = await Promise.all(lives)
  expect(Math.min(...written)).toBeGreaterThan(KILLS / AT_ONCE)
  rmSync(folder, { recursive: true, force: true })
})
