/**
 * A hostile node in a process of its own, with real Lightning behind it, against `gridstr ask`: every way to be paid twice, more,
 * elsewhere or for nothing. What leaves the wallet is read from the wallet's own books.
 */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { connectWallet } from '../src/cli/wiring.ts'
import { wallClock } from '../src/clock.ts'
import { openKeys } from '../src/keys.ts'
import type { Transaction } from '../src/payments/payment.ts'
import { keeps } from './promises.ts'
import { freshHome, gridstr, isReady, type Row, type Running, root, rows, start, textOf } from './spawn.ts'

interface Told {
  readonly row: Row
  readonly err: string
  readonly code: number | null
}

const PRICE = 2_000
let relay: Running
let wallet: Running
let seller: Running
let url = ''
let payer = ''
let sold = ''

beforeAll(async () => {
  relay = gridstr(['relay', '--port', '0', '--json'])
  url = textOf(await relay.row(isReady), 'url')
  wallet = gridstr(['wallet', 'regtest', '--relay', url, '--json'])
  const wallets = await wallet.row(isReady)
  payer = textOf(wallets, 'payer')
  const argv = ['test/hostile/seller.ts', '--relay', url, '--wallet', textOf(wallets, 'payee')]
  seller = start('seller', process.execPath, argv, { cwd: root })
  sold = textOf(await seller.row(isReady), 'pubkey')
}, 60_000)

afterAll(async () => {
  for (const one of [seller, wallet, relay]) await one.stop()
})

/** Everything that ever left the customer's wallet. */
async function spent(): Promise<readonly Transaction[]> {
  const purse = connectWallet(payer, await openKeys(), wallClock())
  const all = await purse.transactions({ limit: 1_000, unpaid: true, type: 'outgoing' })
  await purse.close()
  return all
}

/** Invoices that the seller asked to be paid for this job, in order. */
const billed = (job: string): Row[] => rows(seller.out).filter(row => row['event'] === 'billed' && row['job'] === job)

/** Buys from the seller, who does what the question says. */
async function buy(move: string, more: readonly string[] = [], home = freshHome()): Promise<Told> {
  const argv = ['ask', '--relay', url, '--json', '--to', sold, '--max-sats', '60000', ...more, move]
  const ask = gridstr(argv, { GRIDSTR_WALLET: payer, GRIDSTR_HOME: home })
  const { code } = await ask.exit(60_000)
  return { code, row: rows(ask.out.slice(-1))[0] ?? {}, err: ask.err.join('\n') }
}

/** Payments that left for this job, by the wallet's books. */
const paidFor = async (job: string): Promise<readonly Transaction[]> => {
  const invoices = new Set(billed(job).map(row => row['bolt11']))
  return (await spent()).filter(row => row.state !== 'failed' && invoices.has(row.bolt11))
}

describe('invoices that must not be paid', () => {
  const refusals: readonly (readonly [move: string, code: string, says: RegExp])[] = [
    ['raised price', 'over-announced', /asks for 4000 msats and announced 2000: ask again to see its price of today/],
    ['dearer invoice', 'amount-mismatch', /The invoice asks for 4000 msats where 2000 were quoted/],
    ['other network', 'wrong-network', /The invoice is for mainnet, the wallet for regtest/],
    ['other payee', 'payee-not-announced', /of a Lightning node that the chosen node did not announce/],
    ['open amount', 'amountless', /leaves the amount open: ask the node for one that names its price/],
    ['expired invoice', 'expired', /has expired or is about to: ask the node for a new one/],
    ['locks for weeks', 'cltv', /may lock the money for 2016 blocks/],
    ['no invoice', 'no-invoice', /The quote has no invoice/],
  ]

  keeps(
    'pay.exact',
    'raised, mismatched, foreign, open, expired and locking ones: nothing leaves, and the reason is said',
    async () => {
      const before = (await spent()).length
      const told: Told[] = []
      for (let i = 0; i < refusals.length; i += 2)
        told.push(...(await Promise.all(refusals.slice(i, i + 2).map(([move]) => buy(move)))))
      for (const [index, [move, code, says]] of refusals.entries()) {
        const { row, err, code: exit } = told[index] ?? { row: {}, err: '', code: 0 }
        expect([move, row['code'], row['msats'], exit]).toEqual([move, code, 0, 1])
        expect(textOf(row, 'error')).toMatch(says)
        expect(err).toMatch(says)
      }
      expect(await spent()).toHaveLength(before)
    },
    180_000,
  )
})

describe('paid once, whatever is billed', () => {
  keeps(
    'pay.once',
    'a second quote, before and after the first was paid, is not paid; nor is the same one again for another job',
    async () => {
      const home = freshHome()
      const { row } = await buy('double quote', [], home)
      expect(row).toMatchObject({ ok: true, text: 'done', msats: PRICE })
      const job = textOf(row, 'request')
      expect(billed(job)).toHaveLength(4)
      expect(await paidFor(job)).toMatchObject([{ state: 'settled', msats: BigInt(PRICE) }])
      const before = await spent()
      const again = await buy('replayed quote', [], home)
      expect(again.row).toMatchObject({ ok: false, code: 'hash-seen', msats: 0 })
      expect(again.err).toContain('was ordered before: look up that payment instead of paying again.')
      // Without what was kept the wallet is asked anew, and debits nothing for what it has paid.
      await buy('replayed quote')
      expect(await spent()).toEqual(before)
    },
    180_000,
  )

  keeps(
    'pay.once',
    'a node that says that the payment did not arrive, and bills again, gets one payment and the customer its proof',
    async () => {
      const { row, err } = await buy('pay again')
      const job = textOf(row, 'request')
      expect(row).toMatchObject({ ok: false, code: 'not-received', msats: PRICE })
      expect(await paidFor(job)).toHaveLength(1)
      const preimage = textOf(row, 'preimage')
      expect(err).toContain('The payment did not arrive. Pay again.')
      expect(err).toContain(`You paid 2 sats (2,000 msats): keep the preimage ${preimage} and job ${job} as proof.`)
    },
    120_000,
  )

  keeps(
    'pay.once',
    'a result that bills again is read and not paid; one that bills 50,000 sats unasked is not paid either',
    async () => {
      const [one, two] = await Promise.all([buy('result bills again'), buy('dear result')])
      expect(one.row).toMatchObject({ ok: true, text: 'done', msats: PRICE })
      expect(await paidFor(textOf(one.row, 'request'))).toMatchObject([{ msats: BigInt(PRICE) }])
      expect(two.row).toMatchObject({ ok: true, text: 'unasked', msats: 0 })
      expect(billed(textOf(two.row, 'request'))).toHaveLength(1)
      expect(await paidFor(textOf(two.row, 'request'))).toEqual([])
    },
    120_000,
  )

  keeps(
    'job.ends',
    'silence after the payment ends the job in time, with the proof in the customer’s hand',
    async () => {
      const { row, err } = await buy('silence', ['--timeout', '3'])
      const job = textOf(row, 'request')
      expect(row).toMatchObject({ ok: false, code: 'expired', msats: PRICE })
      expect(await paidFor(job)).toHaveLength(1)
      expect(err).toContain('No answer came in time. Ask again, or choose another node with --to.')
      expect(err).toContain(`keep the preimage ${textOf(row, 'preimage')} and job ${job} as proof.`)
    },
    120_000,
  )
})

keeps('pay.once', 'after all of it the books hold one payment for each job that was paid, and no more', async () => {
  const all = (await spent()).filter(row => row.state !== 'failed')
  expect(all.every(row => row.state === 'settled' && row.msats === BigInt(PRICE))).toBe(true)
  const jobs = all.map(row => rows(seller.out).find(said => said['bolt11'] === row.bolt11)?.['job'])
  expect(new Set(jobs).size).toBe(all.length)
})
