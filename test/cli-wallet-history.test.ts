/** `gridstr wallet history`: every way in which journal and wallet can differ is marked, and nothing else. */
import { describe, expect, test } from 'vitest'
import { billAlarm, orderAlarm } from '../src/cli/commands/wallet/match.ts'
import { seconds } from '../src/clock.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { billOf, openTestDesk, type TestDesk } from './cli-wallet-desk.ts'

const peer = 'a1'.repeat(32)
const job = 'b2'.repeat(32)

describe('what is marked', () => {
  const settled = { state: 'settled', msats: 5_000n } as const
  const books = {
    none: 'none',
    settled,
    failed: { state: 'failed', msats: 0n },
    pending: { state: 'pending', msats: 0n },
  } as const
  test.each<[string, keyof typeof books, RegExp | undefined]>([
    ['paid', 'settled', undefined],
    ['paid', 'none', /never heard/],
    ['paid', 'failed', /failed, says the wallet/],
    ['paid', 'pending', /pending, says the wallet/],
    ['unproven', 'settled', undefined],
    ['unproven', 'failed', /failed, says the wallet/],
    ['planned', 'settled', /does not know it yet/],
    ['planned', 'pending', undefined],
    ['planned', 'failed', /failed, says the wallet/],
    ['planned', 'none', /never left/],
    ['failed', 'settled', /PAID/],
    ['failed', 'failed', undefined],
    ['failed', 'none', undefined],
  ])('an order %s, in the wallet %s', (state, wallet, alarm) => {
    const said = orderAlarm({ state, msats: 5_000n }, books[wallet])
    if (alarm) expect(said).toMatch(alarm)
    else expect(said).toBeUndefined()
  })

  test.each<[string, keyof typeof books, RegExp | undefined]>([
    ['paid', 'settled', undefined],
    ['paid', 'none', /never heard/],
    ['paid', 'pending', /pending, says the wallet/],
    ['open', 'settled', /money came/],
    ['void', 'settled', /money came/],
    ['defaulted', 'settled', /money came/],
    ['open', 'none', undefined],
    ['void', 'failed', undefined],
    ['open', 'pending', undefined],
  ])('a bill %s, in the wallet %s', (state, wallet, alarm) => {
    const row = { what: 'bill', direction: 'in', at: 1, purpose: 'job', feeMsats: 0n } as const
    const said = billAlarm({ ...row, job, hash: 'h', state, msats: 5_000n }, books[wallet], [memoryJournal()])
    if (alarm) expect(said).toMatch(alarm)
    else expect(said).toBeUndefined()
  })

  test('other amounts are marked; late money that is kept as credit is not', () => {
    expect(orderAlarm({ state: 'paid', msats: 4_000n }, settled)).toMatch(/5000 msats/)
    const journal = memoryJournal()
    const row = { what: 'bill', direction: 'in', at: 1, purpose: 'job', feeMsats: 0n, job, hash: 'h' } as const
    const late = { ...row, state: 'void', msats: 5_000n }
    journal.bills.credit({ id: 'h', customer: peer, job, msats: 5_000n, why: 'late', at: 2 })
    expect(billAlarm(late, settled, [journal])).toBeUndefined()
  })
})

describe('history', () => {
  const order = async (desk: TestDesk, sats: bigint, how: 'pay' | 'plan' | 'both') => {
    const { bolt11, hash, msats } = await billOf(desk, sats)
    if (how !== 'pay')
      desk.journal.orders.plan({ bolt11, hash, msats, purpose: 'job', peer, job, at: seconds(desk.clock) })
    const paid = how === 'plan' ? undefined : await desk.mine.pay({ bolt11, hash, msats })
    if (how === 'both' && paid?.state === 'paid')
      desk.journal.orders.end(hash, { state: 'paid', preimage: paid.preimage, at: seconds(desk.clock) })
    await desk.clock.advance(1_000)
    return hash
  }

  test('joins journals and wallet, newest first, and says what only one side knows', async () => {
    const desk = openTestDesk()
    const both = await order(desk, 1n, 'both')
    const never = await order(desk, 2n, 'plan')
    const foreign = await order(desk, 3n, 'pay')
    const bill = await desk.mine.bill({ key: 'late', msats: 4_000n, expirySeconds: 9_999, description: 'x' })
    const { hash, bolt11, msats, expiresAt } = bill
    desk.nodeJournal.bills.add({
      hash,
      bolt11,
      msats,
      expiresAt,
      purpose: 'job',
      customer: peer,
      job,
      at: seconds(desk.clock),
    })
    await desk.theirs.pay(bill)
    await desk.clock.advance(1_000)
    desk.nodeJournal.bills.credit({
      id: 'back',
      customer: peer,
      job,
      msats: 700n,
      why: 'over-paid',
      at: seconds(desk.clock),
    })
    desk.journal.jobs.open({ side: 'client', id: 'cc'.repeat(32), at: seconds(desk.clock) + 1, opening: null })

    const { rows, code, err } = await desk.run(['history', '--json'])
    expect(code).toBe(0)
    expect(
      rows.map(row => [row['what'], row['hash'] ?? row['state'], row['known'], row['alarm'] !== undefined]),
    ).toEqual([
      ['job', 'open', 'unasked', false],
      ['credit', 'kept', 'unasked', false],
      ['bill', hash, 'both', true],
      ['wallet', foreign, 'wallet', true],
      ['order', never, 'journal', true],
      ['order', both, 'both', false],
    ])
    expect(err).toContain('3 to look at')

    const shown = await desk.run(['history'])
    expect(shown.out).toContain('! money came, says the wallet; open, says the journal')
    expect(shown.out).toMatch(/^W {2}2027-01-15 08:00 {2}sent +-3 /m)
    expect(shown.out).toContain('J only the journal knows it')
    expect((await desk.run(['history', '--limit', '2', '--json'])).rows).toHaveLength(2)
  })

  test('without a wallet, or with a silent one, the journals are shown alone', async () => {
    const desk = openTestDesk()
    await order(desk, 1n, 'both')
    const none = await desk.run(['history', '--json'], { env: { GRIDSTR_HOME: desk.folder } })
    expect(none).toMatchObject({ code: 0, rows: [{ what: 'order', known: 'unasked' }] })
    expect(none.err).toContain('none is connected')
    desk.mine.faults = { reach: 'down' }
    const silent = await desk.run(['history', '--json'])
    expect(silent).toMatchObject({ code: 0, rows: [{ what: 'order', known: 'unasked' }] })
    expect(silent.err).toContain('does not answer')
  })

  test('--update writes what the wallet knows of own money, and leaves that of jobs alone', async () => {
    const desk = openTestDesk()
    const bolt11 = (await desk.run(['invoice', '8', '--expiry', '60'])).out.trim()
    const [bill] = desk.journal.bills.list()
    await desk.theirs.pay({ bolt11, hash: bill?.hash ?? '', msats: 8_000n })
    await desk.run(['invoice', '9', '--expiry', '60'])
    const plan = async (sats: bigint, purpose: 'own' | 'job', pay: boolean) => {
      const one = await billOf(desk, sats)
      const { hash, msats } = one
      desk.journal.orders.plan({ hash, msats, bolt11: one.bolt11, purpose, at: seconds(desk.clock) })
      if (pay) await desk.mine.pay(one)
      return hash
    }
    const [paid, lost, foreign] = [
      await plan(1n, 'own', true),
      await plan(2n, 'own', false),
      await plan(3n, 'job', true),
    ]
    const states = () => [paid, lost, foreign].map(hash => desk.journal.orders.get(hash)?.state)

    const first = await desk.run(['history', '--json'])
    expect(first.rows.filter(row => row['alarm'] !== undefined)).toHaveLength(4)
    expect((await desk.run(['export'])).err).toContain('2 invoices of your own are open')
    expect((await desk.run(['history', '--update', '--json'])).err).toContain('2 rows written')
    // What never left is called failed only when no request for it can be under way.
    expect(states()).toEqual(['paid', 'planned', 'planned'])
    await desk.clock.advance(200_000)
    expect((await desk.run(['history', '--update'])).err).toContain('2 rows written')
    expect(states()).toEqual(['paid', 'failed', 'planned'])
    expect(desk.journal.bills.list().map(({ state }) => state)).toEqual(['void', 'paid'])
    expect((await desk.run(['history', '--update'])).err).toContain('the journal knew it all')
    expect((await desk.run(['export', '--json'])).out.match(/"sats":"(8|1)"/g)).toHaveLength(2)
  })

  test('--since leaves out what is older; nothing is said to be nothing', async () => {
    const desk = openTestDesk()
    expect((await desk.run(['history'])).out).toBe('nothing yet\n')
    await order(desk, 1n, 'both')
    await desk.clock.advance(7_200_000)
    await order(desk, 2n, 'both')
    expect((await desk.run(['history', '--since', '1h', '--json'])).rows).toMatchObject([{ msats: 2_000 }])
    expect((await desk.run(['history', '--since', 'soon'])).code).toBe(2)
  })

  test('strangers’ words reach the screen without escape sequences', async () => {
    const desk = openTestDesk()
    const { bolt11, hash, msats } = await billOf(desk, 6n, 'pay\u001b]0;owned\u0007 me\u202e\n now')
    desk.journal.orders.plan({ bolt11, hash, msats, purpose: 'own', at: seconds(desk.clock) })
    await desk.mine.pay({ bolt11, hash, msats })
    desk.journal.orders.end(hash, { state: 'paid', at: seconds(desk.clock) })
    for (const argv of [['history'], ['history', '--json'], ['export'], ['export', '--json']]) {
      const { out } = await desk.run(argv)
      expect(out).toContain('pay me')
      expect(out).not.toMatch(/[\u001b\u0007\u202e]/)
    }
  })
})

test('on a terminal no line of progress is left before data', async () => {
  const desk = openTestDesk()
  const { bolt11 } = await billOf(desk, 6n)
  for (const argv of [
    ...[['pay', bolt11, '--max-sats', '9'], ['pay', bolt11, '--max-sats', '9', '--yes'], ['balance'], ['budget']],
    ...[['history'], ['history', '--update'], ['export'], ['invoice', '5', '--expiry', '60', '--wait']],
  ])
    for (const json of [[], ['--json']]) {
      let screen = ''
      const out = (text: string) => {
        expect(screen, argv.join(' ')).toMatch(/(^|\n|\r\u001b\[2K)$/)
        screen += `${text}\n`
      }
      const err = (text: string) => {
        screen += text
      }
      const io = { terminal: true, columns: 80, out, write: out, err }
      await desk.run([...argv, ...json], io)
      expect(screen.endsWith('\n')).toBe(true)
    }
})
