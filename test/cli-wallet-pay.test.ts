/** `gridstr wallet pay`, `invoice`, `balance`, `budget`: once, under caps, and never a word that the wallet did not give. */
import { describe, expect, test } from 'vitest'
import { seconds } from '../src/clock.ts'
import type { OrderState } from '../src/journal/journal.ts'
import { billOf, openTestDesk } from './cli-wallet-desk.ts'

const yes = ['--max-sats', '100', '--yes', '--json']

describe('pay', () => {
  test('writes the intent before anything leaves, pays, keeps the preimage, and pays no second time', async () => {
    const seen: (OrderState | undefined)[] = []
    const desk = openTestDesk({
      wallet: own => ({
        ...own,
        info: signal => own.info(signal),
        payState: hash => own.payState(hash),
        pay(order, signal) {
          seen.push(desk.journal.orders.get(order.hash)?.state)
          return own.pay(order, signal)
        },
      }),
    })
    const bill = await billOf(desk, 21n)
    const paid = await desk.run(['pay', bill.bolt11, ...yes])
    expect(paid).toMatchObject({ code: 0, rows: [{ ok: true, hash: bill.hash, msats: 21_000, feeMsats: 0 }] })
    expect(seen).toEqual(['planned'])
    const order = desk.journal.orders.get(bill.hash)
    expect(order).toMatchObject({ state: 'paid', purpose: 'own', msats: 21_000n })
    expect(paid.rows[0]?.['preimage']).toBe(order?.preimage)

    const again = await desk.run(['pay', bill.bolt11, ...yes])
    expect(again).toMatchObject({ code: 0, rows: [{ ok: true, preimage: order?.preimage }] })
    expect(again.err).toContain('paid before')
    expect(seen).toHaveLength(1)
    expect(await desk.mine.balance()).toBe(1_000_000_000n - 21_000n)
  })

  test('shows what would be paid without --yes, and pays nothing', async () => {
    const desk = openTestDesk()
    const bill = await billOf(desk, 21n, 'tea \u001b[2Jfor \u202etwo')
    const { code, rows, err } = await desk.run(['pay', bill.bolt11, '--max-sats', '100', '--json'])
    expect({ code, rows }).toMatchObject({ code: 1, rows: [{ ok: false, code: 'not-confirmed', msats: 21_000 }] })
    expect(err).toContain('21 sats · regtest')
    expect(err).toContain('"tea for two"')
    expect(err).not.toContain('\u001b')
    expect(desk.journal.orders.list()).toEqual([])
    expect(await desk.mine.balance()).toBe(1_000_000_000n)
  })

  test.each<[string, (desk: ReturnType<typeof openTestDesk>) => Promise<string[]>, string]>([
    ['over --max-sats', async desk => [(await billOf(desk, 101n)).bolt11, ...yes], 'over-cap'],
    ['expired', async desk => [(await billOf(desk, 5n, 'short', 3)).bolt11, ...yes], 'expired'],
    ['no invoice', async () => ['lnbcrt1nonsense', ...yes], 'bad-invoice'],
    [
      'its own',
      async desk => [
        (await desk.mine.bill({ key: 'x', msats: 1n, expirySeconds: 60, description: '' })).bolt11,
        ...yes,
      ],
      'self-pay',
    ],
    [
      'ordered by a job',
      async desk => {
        const { bolt11, hash, msats } = await billOf(desk, 7n)
        desk.journal.orders.plan({ bolt11, hash, msats, purpose: 'job', job: 'a'.repeat(64), at: 1 })
        return [bolt11, ...yes]
      },
      'hash-seen',
    ],
  ])('refuses an invoice that is %s', async (_, argv, code) => {
    const desk = openTestDesk()
    const refused = await desk.run(['pay', ...(await argv(desk))])
    expect(refused).toMatchObject({ code: 1, rows: [{ ok: false, code }] })
    expect(await desk.mine.balance()).toBe(1_000_000_000n)
  })

  test('needs an amount at most, and one invoice', async () => {
    const desk = openTestDesk()
    const { bolt11 } = await billOf(desk, 1n)
    expect(await desk.run(['pay', bolt11, '--yes'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('--max-sats'),
    })
    expect((await desk.run(['pay', '--max-sats', '5'])).code).toBe(2)
    expect((await desk.run(['pay', bolt11, bolt11, '--max-sats', '5'])).code).toBe(2)
  })

  test('obeys the caps of an hour and of a day, and lets money out again when time has passed', async () => {
    const desk = openTestDesk()
    expect((await desk.run(['budget', '--set-hour-sats', '50', '--set-day-sats', '60'])).code).toBe(0)
    expect((await desk.run(['pay', (await billOf(desk, 40n)).bolt11, ...yes])).code).toBe(0)
    const second = ['pay', (await billOf(desk, 11n, 'b', 200_000)).bolt11, ...yes]
    const refused = await desk.run(second)
    expect(refused.rows).toMatchObject([{ code: 'over-hour' }])
    expect(refused.err).toContain('--set-hour-sats')
    await desk.clock.advance(3_601_000)
    expect((await desk.run(second)).code).toBe(0)
    const third = ['pay', (await billOf(desk, 10n, 'c', 200_000)).bolt11, ...yes]
    expect((await desk.run(third)).rows).toMatchObject([{ code: 'over-day' }])
    await desk.clock.advance(86_401_000)
    expect((await desk.run(third)).code).toBe(0)
    expect(await desk.mine.balance()).toBe(1_000_000_000n - 61_000n)
  })
})

describe('an outcome that nobody knows', () => {
  test.each([
    ['unknown-then-paid', 0, 'paid', 999_979_000n],
    ['unknown-then-failed', 1, 'failed', 1_000_000_000n],
  ] as const)('%s: the wallet is asked until it answers', async (pay, code, state, left) => {
    const desk = openTestDesk()
    const bill = await billOf(desk, 21n)
    desk.mine.faults = { pay, delayMs: 40_000 }
    expect((await desk.run(['pay', bill.bolt11, ...yes])).code).toBe(code)
    expect(desk.journal.orders.get(bill.hash)?.state).toBe(state)
    expect(await desk.mine.balance()).toBe(left)
  })

  test('asked to end, it says so; the same command again looks it up and pays nothing', async () => {
    const desk = openTestDesk()
    const bill = await billOf(desk, 21n)
    desk.mine.faults = { pay: 'hang' }
    const stop = new AbortController()
    desk.clock.after(5_000, () => stop.abort())
    const first = await desk.run(['pay', bill.bolt11, ...yes], { signal: stop.signal })
    expect(first).toMatchObject({ code: 1, rows: [{ ok: false, code: 'unknown', hash: bill.hash }] })
    expect(first.err).toContain('run the same command again')
    expect(desk.journal.orders.get(bill.hash)?.state).toBe('planned')

    desk.net.finish(bill.hash, 'paid')
    const second = await desk.run(['pay', bill.bolt11, ...yes])
    expect(second).toMatchObject({ code: 0, rows: [{ ok: true, hash: bill.hash }] })
    expect(desk.journal.orders.get(bill.hash)?.state).toBe('paid')
    expect(await desk.mine.balance()).toBe(1_000_000_000n - 21_000n)
    expect(desk.net.conserved()).toBe(true)
  })

  test('killed between intent and payment: it is paid once, after the time in which a request could still come', async () => {
    const desk = openTestDesk()
    const { bolt11, hash, msats } = await billOf(desk, 21n)
    const at = seconds(desk.clock)
    desk.journal.orders.plan({ bolt11, hash, msats, purpose: 'own', at })
    expect((await desk.run(['pay', bolt11, ...yes])).code).toBe(0)
    expect(seconds(desk.clock) - at).toBeGreaterThan(180)
    expect(desk.journal.orders.list()).toMatchObject([{ hash, state: 'paid' }])
    expect(await desk.mine.balance()).toBe(1_000_000_000n - 21_000n)
  })

  test('failed: nothing left, and the same invoice may be tried again', async () => {
    const desk = openTestDesk()
    const bill = await billOf(desk, 21n)
    desk.mine.faults = { pay: 'fail' }
    const first = await desk.run(['pay', bill.bolt11, ...yes])
    expect(first).toMatchObject({ code: 1, rows: [{ ok: false, code: 'PAYMENT_FAILED' }] })
    expect(first.err).toContain('Nothing was paid')
    desk.mine.faults = {}
    expect((await desk.run(['pay', bill.bolt11, ...yes])).code).toBe(0)
    expect(desk.journal.orders.list()).toMatchObject([{ state: 'paid' }])
    expect(await desk.mine.balance()).toBe(1_000_000_000n - 21_000n)
  })

  test('paid but unproven is a state of its own, and is never paid again', async () => {
    const desk = openTestDesk()
    const bill = await billOf(desk, 21n)
    desk.mine.faults = { pay: 'unproven' }
    for (const _ of [1, 2]) {
      const said = await desk.run(['pay', bill.bolt11, ...yes])
      expect(said).toMatchObject({ code: 1, rows: [{ ok: false, code: 'unproven' }] })
    }
    expect(desk.journal.orders.get(bill.hash)?.state).toBe('unproven')
    expect(await desk.mine.balance()).toBe(1_000_000_000n - 21_000n)
  })
})

describe('invoice', () => {
  test('is in the journal, payable, and stands alone on standard output', async () => {
    const desk = openTestDesk()
    const made = await desk.run(['invoice', '100', '--description', 'soup'])
    expect(made.code).toBe(0)
    const bolt11 = made.out.trim()
    const [row] = desk.journal.bills.list()
    expect(row).toMatchObject({ bolt11, msats: 100_000n, purpose: 'own', state: 'open' })
    await desk.theirs.pay({ bolt11, hash: row?.hash ?? '', msats: 100_000n })
    expect(await desk.mine.balance()).toBe(1_000_100_000n)
  })

  test('--wait ends with the money, or when the invoice has expired', async () => {
    const desk = openTestDesk()
    desk.clock.after(20_000, () => {
      const [row] = desk.journal.bills.list()
      void desk.theirs.pay({ bolt11: row?.bolt11 ?? '', hash: row?.hash ?? '', msats: 7_000n })
    })
    const paid = await desk.run(['invoice', '7', '--wait', '--json'])
    expect(paid).toMatchObject({ code: 0, rows: [{ ok: true }, { ok: true, paid: true, msats: 7_000 }] })
    expect(paid.err).toMatch(/waiting\s+for 7 sats · 59 min/)
    expect(desk.journal.bills.list()).toMatchObject([{ state: 'paid', paidMsats: 7_000n }])

    const late = await desk.run(['invoice', '7', '--expiry', '60', '--wait', '--json'])
    expect(late).toMatchObject({ code: 1, rows: [{ ok: true }, { ok: false, code: 'expired' }] })
    expect(desk.journal.bills.list()[0]).toMatchObject({ state: 'void' })
  })

  test.each([[[]], [['1.5']], [['-1']], [['0']], [['1', '2']], [['5', '--expiry', '1']]])('refuses %j', async argv => {
    expect((await openTestDesk().run(['invoice', ...argv])).code).toBe(2)
  })
})

test('balance is data on standard output', async () => {
  const desk = openTestDesk()
  expect(await desk.run(['balance'])).toMatchObject({ code: 0, out: '1,000,000 sats\n' })
  expect((await desk.run(['balance', '--json'])).rows).toEqual([{ ok: true, msats: 1_000_000_000 }])
  desk.mine.faults = { reach: 'down' }
  expect(await desk.run(['balance', '--json'])).toMatchObject({ code: 1, rows: [{ ok: false, code: 'wallet' }] })
})

test('budget shows the wallet’s own beside our caps and what was spent, most first', async () => {
  const desk = openTestDesk()
  const now = seconds(desk.clock)
  const spend = (n: number, msats: bigint, at: number, peer?: string) => {
    const hash = n.toString(16).padStart(64, '0')
    desk.journal.orders.plan({ hash, bolt11: '', msats, purpose: 'job', at, ...(peer === undefined ? {} : { peer }) })
  }
  const [anna, bert] = ['11'.repeat(32), '22'.repeat(32)]
  spend(1, 1_000n, now - 10, anna)
  spend(2, 5_000n, now - 4_000, bert)
  spend(3, 9_000n, now - 90_000, anna)
  desk.answers.set('get_budget', { used_budget: 3_000, total_budget: 10_000_000, renews_at: 1_800_100_000 })
  await desk.run(['budget', '--set-peer-day-sats', '20'])
  const { rows } = await desk.run(['budget', '--set-hour-sats', '10', '--json'])
  expect(rows).toMatchObject([
    {
      wallet: { usedMsats: 3_000, totalMsats: 10_000_000, renewsAt: 1_800_100_000 },
      caps: { hourMsats: 10_000, peerDayMsats: 20_000 },
      spent: { hourMsats: 1_000, dayMsats: 6_000 },
      peers: [{ dayMsats: 5_000 }, { dayMsats: 1_000 }],
    },
  ])
  const said = await desk.run(['budget', '--clear'])
  expect(said.out).toContain('6 sats spent, no cap')
  expect(said.err).toContain('3 sats of 10,000 sats used, says the wallet')
})
