/** `gridstr wallet export`: a table that comes back as it was, that no spreadsheet calculates, and that adds up. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { COLUMNS, cell, csv, defused, json, type Receipt, receiptOf } from '../src/cli/commands/wallet/csv.ts'
import { sats, timeOf, utc } from '../src/cli/commands/wallet/words.ts'
import { seconds } from '../src/clock.ts'
import { npub } from '../src/keys.ts'
import { billOf, openTestDesk, type TestDesk } from './cli-wallet-desk.ts'

/** RFC 4180, read by its grammar and by nothing of ours. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = []
  let at = 0
  while (at < text.length) {
    const row: string[] = []
    for (;;) {
      let field = ''
      if (text[at] === '"') {
        for (at++; text[at] !== '"' || text[at + 1] === '"'; at++) {
          if (text[at] === '"') at++
          if (at >= text.length) throw new Error('a quote is open')
          field += text[at]
        }
        at++
      } else while (at < text.length && !/[",\r\n]/.test(text[at] ?? '')) field += text[at++]
      row.push(field)
      if (text[at] === ',') at++
      else break
    }
    if (text.slice(at, at + 2) !== '\r\n') throw new Error(`no line end at ${at}`)
    at += 2
    rows.push(row)
  }
  return rows
}

const undefused = (text: string): string => (text.startsWith("'") ? text.slice(1) : text)

/** Text with much of what tables and spreadsheets care about. */
const nasty = fc.oneof(
  fc.string(),
  fc.string({
    unit: fc.constantFrom('=', '+', '-', '@', "'", '"', ',', ';', '\n', '\r', '\t', ' ', '|', '＝', 'A', '1'),
  }),
)
const receipt = fc.record(Object.fromEntries(COLUMNS.map(column => [column, nasty]))) as fc.Arbitrary<Receipt>

describe('csv', () => {
  test('parses back to what went in, each row as wide as the heading', () => {
    fc.assert(
      fc.property(fc.array(receipt, { maxLength: 5 }), receipts => {
        const [head, ...rows] = parseCsv(csv(receipts))
        expect(head).toEqual([...COLUMNS])
        expect(rows.map(row => row.map(undefused))).toEqual(receipts.map(one => COLUMNS.map(column => one[column])))
      }),
      { numRuns: 1_000 },
    )
  })

  test('no field begins as a formula, and no two texts become the same field', () => {
    fc.assert(
      fc.property(nasty, nasty, (a, b) => {
        const shown = parseCsv(`${cell(a)}\r\n`)[0]?.[0] ?? ''
        expect(shown.trimStart()).not.toMatch(/^[=+\-@|%＝＋－＠]/)
        expect(shown).not.toMatch(/^[\t\r\n]/)
        if (a !== b) expect(cell(a)).not.toBe(cell(b))
      }),
      { numRuns: 3_000 },
    )
  })

  test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', ' =cmd|x', '＝1', "'=1", '%0A', '\r=1'])(
    '%j gets an apostrophe',
    text => expect(defused(text)).toBe(`'${text}`),
  )

  test.each(['tea', '1.5', 'a=b', 'npub1x', '2027-01-15T08:00:00Z', ''])('%j stays as it is', text =>
    expect(cell(text)).toBe(text),
  )

  test('json comes back as it was', () => {
    fc.assert(
      fc.property(fc.array(receipt, { maxLength: 5 }), receipts => {
        expect(JSON.parse(json(receipts))).toEqual(receipts)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('words', () => {
  test('sats are exact decimals of msats', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), msats => {
        const said = sats(msats)
        expect(said).toMatch(/^-?\d+(\.\d{0,2}[1-9])?$/)
        const [whole = '', part = ''] = said.replace('-', '').split('.')
        const back = BigInt(whole) * 1000n + BigInt(part.padEnd(3, '0'))
        expect(said.startsWith('-') ? -back : back).toBe(msats)
      }),
      { numRuns: 1_000 },
    )
  })

  test('dates are whole days in UTC, ages count back, and what is neither is refused', () => {
    const now = 1_800_000_000
    expect(utc(timeOf('since', '2026-12-31', now))).toBe('2026-12-31T00:00:00Z')
    expect(utc(timeOf('until', '2026-12-31', now, true))).toBe('2026-12-31T23:59:59Z')
    expect(utc(timeOf('since', '2026-12-31T10:00:00+02:00', now))).toBe('2026-12-31T08:00:00Z')
    expect(timeOf('since', '7d', now)).toBe(now - 604_800)
    for (const wrong of ['yesterday', '2026-02-30', '2026-13-01', '7w', '31.12.2026', '2026-12-31T10:00', ''])
      expect(() => timeOf('since', wrong, now), wrong).toThrow(/--since/)
  })
})

describe('export', () => {
  const peer = 'a1'.repeat(32)
  const job = 'b2'.repeat(32)

  /** One payment out with a fee, one in for a job, one refund, and four rows where no money settled. */
  async function busyDesk(): Promise<TestDesk> {
    const desk = openTestDesk()
    const at = seconds(desk.clock)
    const order = async (n: bigint, purpose: 'job' | 'refund' | 'own', journal = desk.journal) => {
      const { bolt11, hash, msats } = await billOf(desk, n, '=HYPERLINK("http://x")\u001b[31m')
      journal.orders.plan({ bolt11, hash, msats, purpose, peer, job, at })
      return hash
    }
    const preimage = 'c3'.repeat(32)
    desk.journal.orders.end(await order(10n, 'job'), { state: 'paid', preimage, feeMsats: 1_500n, at: at + 30 })
    desk.nodeJournal.orders.end(await order(3n, 'refund', desk.nodeJournal), { state: 'paid', preimage, at: at + 20 })
    desk.journal.orders.end(await order(4n, 'job'), { state: 'failed', at: at + 1 })
    await order(5n, 'job')
    const bill = async (n: bigint) => {
      const { bolt11, hash, msats, expiresAt } = await billOf(desk, n, 'answer, long')
      desk.nodeJournal.bills.add({ bolt11, hash, msats, expiresAt, purpose: 'job', customer: peer, job, at })
      const event = { id: hash, pubkey: peer, created_at: at, kind: 9735, tags: [], content: '', sig: '' }
      desk.nodeJournal.outbox.keep({ job, slot: `receipt:${hash}`, event, until: at }, 'plain')
      return hash
    }
    desk.nodeJournal.bills.end(await bill(7n), { state: 'paid', msats: 7_001n, preimage, at: at + 86_400 })
    desk.nodeJournal.bills.end(await bill(8n), { state: 'void', at: at + 9 })
    await bill(9n)
    return desk
  }

  test('has one row per settled payment of all journals, oldest first, in both formats, and adds up', async () => {
    const desk = await busyDesk()
    const table = await desk.run(['export'])
    const [, ...rows] = parseCsv(table.out)
    const fields = rows.map(row => Object.fromEntries(COLUMNS.map((column, at) => [column, row[at] ?? ''])))
    expect(fields.map(row => [row['direction'], row['purpose'], row['msats'], row['fee_msats'], row['sats']])).toEqual([
      ['out', 'refund', '3000', '0', '3'],
      ['out', 'job', '10000', '1500', '10'],
      ['in', 'job', '7001', '0', '7.001'],
    ])
    expect(fields[1]).toMatchObject({
      ...{ time: '2027-01-15T08:00:30Z', counterparty: npub(peer), job, state: 'paid' },
      ...{ description: `'=HYPERLINK("http://x")`, preimage: 'c3'.repeat(32) },
    })
    expect(fields[1]?.['bolt11']).toMatch(/^lnbcrt100n/)
    expect(fields[2]).toMatchObject({ receipt: fields[2]?.['payment_hash'], description: 'answer, long' })
    expect(fields[1]).toMatchObject({ receipt: '' })
    expect(table.err).toMatch(/in\s+1 movements · 7.001 sats/)
    expect(table.err).toMatch(/out\s+2 movements · 13 sats and 1.5 sats of fees/)

    const whole = JSON.parse((await desk.run(['export', '--json'])).out) as Receipt[]
    expect(whole.map(one => one.msats)).toEqual(['3000', '10000', '7001'])
    expect((await desk.run(['export'])).out).toBe(table.out)
    // The same journal twice tells of the same money once.
    const journals = ['client.db', 'client.db'].flatMap(name => ['--journal', join(desk.folder, 'journals', name)])
    expect(parseCsv((await desk.run(['export', ...journals])).out)).toHaveLength(2)
  })

  test('--since and --until choose by settlement, whole days', async () => {
    const desk = await busyDesk()
    const count = async (...argv: string[]) => parseCsv((await desk.run(['export', ...argv])).out).length - 1
    expect(await count('--until', '2027-01-15')).toBe(2)
    expect(await count('--since', '2027-01-16')).toBe(1)
    expect(await count('--since', '2027-01-15', '--until', '2027-01-16')).toBe(3)
    expect(await count('--until', '2027-01-14')).toBe(0)
  })

  test('--out writes a file of its owner alone; nothing is a table without rows', async () => {
    const desk = await busyDesk()
    const file = join(desk.folder, 'receipts.csv')
    const { code, rows, out } = await desk.run(['export', '--out', file, '--json'])
    expect({ code, rows }).toMatchObject({ code: 0, rows: [{ file, in: { msats: 7_001 }, out: { feeMsats: 1_500 } }] })
    expect(out.split('\n')).toHaveLength(2)
    expect(readFileSync(file, 'utf8')).toBe((await desk.run(['export'])).out)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect((await desk.run(['export', '--out', join(desk.folder, 'no/where')])).code).toBe(2)
    expect((await desk.run(['export', '--format', 'pdf'])).code).toBe(2)
    expect((await openTestDesk().run(['export'])).out).toBe(`${COLUMNS.join(',')}\r\n`)
    expect((await openTestDesk().run(['export', '--json'])).out).toBe('[]\n')
  })

  test('a receipt of a row without a partner is still a receipt', () => {
    const row = {
      what: 'order',
      direction: 'out',
      at: 0,
      purpose: 'own',
      msats: 1n,
      feeMsats: 0n,
      state: 'paid',
    } as const
    expect(receiptOf(row)).toMatchObject({ time: '1970-01-01T00:00:00Z', counterparty: '', job: '', sats: '0.001' })
  })
})
