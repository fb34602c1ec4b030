/**
 * A hostile customer in a process of its own, with real Lightning in its hand, against `gridstr node`: work without paying, money
 * back and the work too, and a wallet full of invoices.
 */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { connectWallet } from '../src/cli/wiring.ts'
import { wallClock } from '../src/clock.ts'
import { openKeys } from '../src/keys.ts'
import type { Transaction } from '../src/payments/payment.ts'
import { keeps } from './promises.ts'
import { openTown, type Row, root, rows, start, type Town, textOf } from './spawn.ts'

const PRICE = 3_000
let town: Town
beforeAll(async () => {
  town = await openTown({ node: ['--runner', 'echo', '--price-msats', String(PRICE)] })
}, 60_000)
afterAll(async () => {
  expect(await town.close()).toEqual({ relay: 0, wallet: 0, node: 0 })
})

/** Plays the moves in one process; gives what it has to say of each. */
async function play(...moves: readonly string[]): Promise<Row[]> {
  const about = ['--relay', town.url, '--wallet', town.payer, '--node', town.nodeKey, '--moves', moves.join(',')]
  const customer = start('customer', process.execPath, ['test/hostile/customer.ts', ...about], { cwd: root })
  expect((await customer.exit(120_000)).code, customer.err.join('\n')).toBe(0)
  return moves.map(move => rows(customer.out).find(row => row['played'] === move) ?? {})
}

/** What the node said of a job, in order. */
const said = (job: unknown): unknown[] => rows(town.node.out).flatMap(row => (row['job'] === job ? [row['event']] : []))

const until = (job: unknown, event: string) => town.node.row(row => row['job'] === job && row['event'] === event)

/** Invoices in the books of the node's wallet. */
async function invoices(): Promise<readonly Transaction[]> {
  const purse = connectWallet(town.payee, await openKeys(), wallClock())
  const all = await purse.transactions({ limit: 1_000, unpaid: true, type: 'incoming' })
  await purse.close()
  return all
}

/** An honest purchase behind it all: when it is answered, everything before it was looked at. */
async function honest(): Promise<void> {
  const ask = town.ask(['--max-sats', '5', '--wallet', town.payer, 'honest'])
  expect((await ask.exit(60_000)).code).toBe(0)
}

describe('forged receipts', () => {
  keeps(
    'work.paid',
    'by the customer and a helper, replayed, with a true preimage of another job, wrapped, or as a notice of the wallet: no work',
    async () => {
      const [real = {}, forged = {}] = await play('honest', 'forged receipts')
      expect(real).toMatchObject({ text: 'honest', receipt: expect.any(String) })
      expect(forged).toMatchObject({ fakes: 17 })
      expect(forged['purses']).toBeGreaterThan(1)
      await honest()
      const job = textOf(forged, 'job')
      expect(said(job)).toEqual(['accepted', 'invoice'])
      const paid = (await invoices()).filter(({ state }) => state === 'settled')
      expect(paid).toHaveLength(2)
      expect(rows(town.node.out).filter(row => row['event'] === 'running')).toHaveLength(2)
      expect(town.node.err.join('\n')).not.toContain('work for nothing')
    },
    180_000,
  )
})

describe('money and changes of mind', () => {
  keeps(
    'job.cancelled',
    'who pays and withdraws at once has bought the work that began, and every millisatoshi is accounted for',
    async () => {
      const [row = {}] = await play('pay and cancel')
      expect(textOf(row, 'preimage')).toMatch(/^[0-9a-f]{64}$/)
      const job = row['job']
      await until(job, 'paid').catch(() => until(job, 'credit'))
      await honest()
      const events = said(job)
      // Bought and begun, or withdrawn before the money came and kept as credit: never neither.
      const ends = events.filter(event => ['delivered', 'cancelled', 'credit'].includes(String(event)))
      expect(ends.length).toBeGreaterThan(0)
      if (!events.includes('running')) expect(events).toContain('credit')
      expect((await invoices()).some(one => one.preimage === row['preimage'] && one.state === 'settled')).toBe(true)
    },
    180_000,
  )

  keeps(
    'job.late-money',
    'who withdraws first and pays then gets no work, and the node says that it keeps the money for them',
    async () => {
      const [row = {}] = await play('cancel and pay')
      const credit = await until(row['job'], 'credit')
      expect(credit).toMatchObject({ msats: PRICE })
      expect(said(row['job'])).toEqual(['accepted', 'invoice', 'cancelled', 'credit'])
      expect(town.node.err.join('\n')).toContain('Kept for the customer: it bought nothing.')
    },
    180_000,
  )

  keeps(
    'pay.once',
    'an invoice that is paid twice at once is debited once and bought once',
    async () => {
      const [row = {}] = await play('pay twice')
      const [one, two] = row['both'] as readonly string[]
      expect([one, two].some(word => /^[0-9a-f]{64}$/.test(word ?? ''))).toBe(true)
      expect(row).toMatchObject({ text: 'twice' })
      expect(said(row['job']).filter(event => event === 'running' || event === 'paid')).toHaveLength(2)
      const books = connectWallet(town.payer, await openKeys(), wallClock())
      const sent = await books.transactions({ limit: 1_000, type: 'outgoing' })
      await books.close()
      const preimages = sent.map(({ preimage }) => preimage)
      expect(new Set(preimages).size).toBe(preimages.length)
    },
    180_000,
  )
})

describe('claims on kept money', () => {
  /** Payments that left the node's wallet. */
  async function refunds(): Promise<readonly Transaction[]> {
    const books = connectWallet(town.payee, await openKeys(), wallClock())
    const sent = await books.transactions({ limit: 1_000, unpaid: true, type: 'outgoing' })
    await books.close()
    return sent
  }

  keeps(
    'pay.once',
    'claimed by a stranger, for more, twice, at once and again: it is paid back once, and gives no work besides',
    async () => {
      const before = (await refunds()).length
      const [row = {}] = await play('claim again and again')
      await honest()
      const sent = (await refunds()).slice(0, -before || undefined)
      expect(sent).toMatchObject([{ state: 'settled', msats: BigInt(PRICE), bolt11: row['paid'] }])
      expect(rows(town.node.out).filter(one => one['event'] === 'refunded' && one['job'] === row['job'])).toHaveLength(
        1,
      )
      expect(said(row['next'])).toEqual(['accepted', 'invoice'])
      expect(town.node.err.join('\n')).toContain('No refund: So much is not kept for this customer.')
    },
    180_000,
  )

  keeps(
    'pay.once',
    'spent on a job and claimed at the same time: one of the two, never both',
    async () => {
      const before = (await refunds()).length
      const [row = {}] = await play('spend and claim')
      await honest()
      const back = (await refunds()).length - before
      const worked = said(row['next']).includes('running') ? 1 : 0
      expect(back + worked).toBe(1)
      expect(row['bill']).toBe(worked === 1 ? 'answered' : 'billed')
    },
    180_000,
  )
})

describe('customers who never pay', () => {
  keeps(
    'relay.hostile',
    'open invoices are bounded for one key and for all keys together, and the rest is told why',
    async () => {
      const before = (await invoices()).length
      const [row = {}] = await play('bulk')
      const open = (await invoices()).length - before
      expect(row['billed']).toBeGreaterThan(0)
      expect(row['billed']).toBeLessThanOrEqual(64)
      expect(row['mineBilled']).toBeLessThanOrEqual(8)
      expect(row['tooMany']).toBe(12)
      expect(Number(row['billed']) + Number(row['busy']) + Number(row['tooMany'])).toBe(120)
      expect(open).toBe(row['billed'])
    },
    180_000,
  )
})
