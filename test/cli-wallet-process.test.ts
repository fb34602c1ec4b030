/** The whole of `gridstr wallet` over a real relay and real Lightning nodes, each in a process of its own. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from '../src/cli/run.ts'
import { wallClock } from '../src/clock.ts'
import { openJournal } from '../src/journal/index.ts'
import { tempHome } from './cli-wallet-desk.ts'
import { gridstr, isReady, type Row, type Running, root, rows, start, textOf } from './spawn.ts'

const [payerHome, payeeHome, playDir] = [tempHome(), tempHome(), join(tempHome(), 'play')]
const processes: Running[] = []
/** What verbs in this process said. */
const spoken: string[] = []
let [url, payer, payee] = ['', '', '']

function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const running = gridstr(argv, { GRIDSTR_HOME: payerHome, GRIDSTR_WALLET: '', ...env })
  processes.push(running)
  return running
}

/** One verb as its process would run it, without the seconds that a process takes to start. */
async function wallet(home: string, ...argv: string[]): Promise<{ code: number | null; last: Row }> {
  const out: string[] = []
  const code = await runCommand(['wallet', ...argv], {
    out: text => void out.push(text),
    write: text => void out.push(text),
    err: text => void spoken.push(text),
    env: { GRIDSTR_HOME: home },
    clock: wallClock(),
    signal: new AbortController().signal,
    terminal: false,
    stdin: async () => '',
  })
  spoken.push(...out)
  return { code, last: rows(out).at(-1) ?? {} }
}

const openPlay = () => run(['wallet', 'regtest', '--relay', url, '--dir', playDir, '--json'])

beforeAll(async () => {
  const relay = run(['relay', '--port', '0', '--json'])
  url = textOf(await relay.row(isReady), 'url')
  const ready = await openPlay().row(isReady)
  payer = textOf(ready, 'payer')
  payee = textOf(ready, 'payee')
})

afterAll(async () => {
  for (const one of [...processes].reverse()) if (!one.ended) await one.stop()
})

describe('gridstr wallet', () => {
  test('connects, bills, pays once, and both sides show and export the same money', async () => {
    const [mine, theirs] = [
      await wallet(payerHome, 'connect', payer, '--json'),
      await wallet(payeeHome, 'connect', payee),
    ]
    expect(mine).toMatchObject({ code: 0, last: { ok: true, network: 'regtest', holds: true } })
    expect(mine.last['methods']).toContain('pay_invoice')
    expect(mine.last['notifications']).toContain('payment_received')
    expect(theirs.code).toBe(0)
    expect(statSync(join(payerHome, 'wallet')).mode & 0o777).toBe(0o600)
    expect((await wallet(payerHome, 'connect', payee)).code).toBe(2)

    // The payee waits for its money while the payer pays.
    const bill = ['wallet', 'invoice', '1234', '--description', '=soup', '--wait', '--json']
    const billing = run(bill, { GRIDSTR_HOME: payeeHome })
    const bolt11 = textOf(await billing.row(row => 'bolt11' in row), 'bolt11')
    const before = await wallet(payerHome, 'balance', '--json')
    const argv = ['pay', bolt11, '--max-sats', '2000', '--json']
    expect((await wallet(payerHome, ...argv)).last).toMatchObject({ ok: false, code: 'not-confirmed' })
    const paying = run(['wallet', ...argv, '--yes'])
    expect((await paying.exit()).code).toBe(0)
    const [paid = {}] = rows(paying.out)
    expect(paid).toMatchObject({ ok: true, msats: 1_234_000 })
    expect((await wallet(payerHome, ...argv, '--yes')).last).toEqual(paid)
    expect((await billing.exit()).code).toBe(0)
    expect(rows(billing.out).at(-1)).toMatchObject({ paid: true, msats: 1_234_000 })
    const after = await wallet(payerHome, 'balance', '--json')
    expect(Number(before.last['msats']) - Number(after.last['msats'])).toBe(1_234_000)

    const [out, come] = [await wallet(payerHome, 'history', '--json'), await wallet(payeeHome, 'history', '--json')]
    const same = { hash: paid['hash'], msats: 1_234_000, state: 'paid', known: 'both' }
    expect(out.last).toMatchObject({ ...same, direction: 'out' })
    expect(come.last).toMatchObject({ ...same, direction: 'in' })
    expect(JSON.stringify([out.last, come.last])).not.toContain('alarm')

    const file = join(payeeHome, 'receipts.csv')
    expect((await wallet(payeeHome, 'export', '--out', file)).code).toBe(0)
    const [head, line = ''] = readFileSync(file, 'utf8').split('\r\n')
    expect(head).toMatch(/^time,direction,purpose,/)
    expect(line).toMatch(/Z,in,own,,,1234000,0,1234,[0-9a-f]{64},[0-9a-f]{64},lnbcrt/)
    expect(line).toContain(`,'=soup,`)
  })

  test('a payer that was killed before it could write the outcome looks it up, and the money leaves once', async () => {
    const made = await wallet(payeeHome, 'invoice', '50', '--json')
    const [bolt11, hash] = [textOf(made.last, 'bolt11'), textOf(made.last, 'hash')]
    const journal = openJournal(join(payerHome, 'journals/client.db'))
    journal.orders.plan({ bolt11, hash, msats: 50_000n, purpose: 'own', at: Math.floor(Date.now() / 1000) })
    journal.close()
    // The same wallet, another journal: what the killed process had sent.
    const argv = ['pay', bolt11, '--max-sats', '50', '--yes', '--json']
    const sent = await wallet(tempHome(), ...argv, '--wallet', payer)
    const before = await wallet(payerHome, 'balance', '--json')
    const again = await wallet(payerHome, ...argv)
    expect(again).toMatchObject({ code: 0, last: { ok: true, preimage: sent.last['preimage'] } })
    expect((await wallet(payerHome, 'balance', '--json')).last).toEqual(before.last)
  })

  test('money that only the wallet knows is marked', async () => {
    const strange = tempHome()
    const { last } = await wallet(strange, 'history', '--wallet', payer, '--limit', '1', '--json')
    expect(last).toMatchObject({ what: 'wallet', known: 'wallet', direction: 'out' })
    expect(existsSync(join(strange, 'wallet'))).toBe(false)
  })

  test('play wallets with a folder come back after a kill with their strings, balances and books', async () => {
    const before = await wallet(payerHome, 'balance', '--json')
    const second = openPlay()
    expect((await second.exit()).code).toBe(2)
    expect(second.err.join('\n')).toMatch(/--dir .* in use by process/)
    await processes[1]?.kill()
    // What was asked and answered is known to the next process, so that nothing that comes again runs again.
    const books = openJournal(join(playDir, 'regtest.db'), { readOnly: true })
    expect([...books.shelf('payer requests').entries('claim ')].length).toBeGreaterThanOrEqual(2)
    expect([...books.shelf('payee requests').entries('claim ')].length).toBeGreaterThanOrEqual(2)
    books.close()
    const ready = await openPlay().row(isReady)
    expect([ready['payer'], ready['payee']]).toEqual([payer, payee])
    expect((await wallet(payerHome, 'balance', '--json')).last).toEqual(before.last)
    expect((await wallet(payerHome, 'history', '--limit', '1', '--json')).last).toMatchObject({ known: 'both' })
    const { last } = await wallet(payeeHome, 'invoice', '7', '--json')
    expect((await wallet(payerHome, 'pay', textOf(last, 'bolt11'), '--max-sats', '7', '--yes')).code).toBe(0)
  })

  test('connects from standard input, and no process prints a secret', async () => {
    const home = tempHome()
    const script = 'printf %s "$URI" | exec "$0" "$1" wallet connect -'
    const shell = start('connect', 'sh', ['-c', script, process.execPath, join(root, 'bin/gridstr.mjs')], {
      env: { URI: payer, GRIDSTR_HOME: home },
    })
    processes.push(shell)
    expect((await shell.exit()).code).toBe(0)
    expect(readFileSync(join(home, 'wallet'), 'utf8')).toBe(`${payer}\n`)
    const secretOf = (uri: string) => new URL(uri).searchParams.get('secret') ?? ''
    const secrets = [payer, payee].map(secretOf)
    for (const secret of secrets) expect(secret).toMatch(/^[0-9a-f]{64}$/)
    const lines = [...processes.flatMap(one => [...one.out, ...one.err]), ...spoken]
    const said = lines.filter(line => !rows([line]).some(isReady))
    expect(said.length).toBeGreaterThan(40)
    expect(secrets.filter(secret => said.some(line => line.includes(secret)))).toEqual([])
  })
})
