/** `gridstr wallet connect` and the home folder: who may read what, what is refused, and that no secret is repeated. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readBudget, wordsOfBudget } from '../src/cli/commands/wallet/nwc-budget.ts'
import { findHome, homeOf, writeWhole } from '../src/cli/home.ts'
import { runCommand } from '../src/cli/run.ts'
import { wallClock } from '../src/clock.ts'
import type { WalletInfo } from '../src/payments/payment.ts'
import { bound, openTestDesk, tempHome } from './cli-wallet-desk.ts'

const mode = (path: string) => statSync(path).mode & 0o777

describe('the home folder', () => {
  test.each<[Record<string, string>, string | undefined]>([
    [{ GRIDSTR_HOME: '/a', XDG_STATE_HOME: '/b', HOME: '/c' }, '/a'],
    [{ GRIDSTR_HOME: '', XDG_STATE_HOME: '/b', HOME: '/c' }, join('/b', 'gridstr')],
    [{ XDG_STATE_HOME: 'relative', HOME: '/c' }, join('/c', '.gridstr')],
    [{ USERPROFILE: '/d' }, join('/d', '.gridstr')],
    [{}, undefined],
  ])('%j is %s', (env, path) => {
    expect(findHome({ env })?.path).toBe(path)
    if (path === undefined) expect(() => homeOf({ env })).toThrow(/set GRIDSTR_HOME/)
  })

  test('is not made by looking, and is its owner’s alone once something is kept', () => {
    const path = join(tempHome(), 'new')
    const home = homeOf({ env: { GRIDSTR_HOME: path } })
    expect([home.wallet(), home.caps(), home.journals()]).toEqual([undefined, {}, []])
    expect(existsSync(path)).toBe(false)
    home.keepWallet('secret')
    expect([mode(path), mode(home.walletFile)]).toEqual([0o700, 0o600])
    expect(home.wallet()).toBe('secret')
    home.keepWallet('other')
    expect(home.wallet()).toBe('other')
    expect(readdirSync(path)).toEqual(['wallet'])
    expect([home.keepWallet(undefined), home.keepWallet(undefined)]).toEqual([true, false])
  })

  test('knows its journals by role and key', () => {
    const home = homeOf({ env: { GRIDSTR_HOME: tempHome() } })
    const paths = [home.journalPath('client'), home.journalPath('node', `${'ab'.repeat(8)}${'00'.repeat(24)}`)]
    expect(paths.map(path => path.slice(home.path.length + 1))).toEqual([
      join('journals', 'client.db'),
      join('journals', 'node-abababababababab.db'),
    ])
    expect(home.journals()).toEqual([])
    for (const path of [...paths, `${paths[0]}.lock`, `${paths[0]}-wal`]) writeFileSync(path, '')
    expect(home.journals()).toEqual(paths)
    expect(mode(join(home.path, 'journals'))).toBe(0o700)
  })

  test('caps come back as they were kept, and a broken file is never taken for no caps', () => {
    const home = homeOf({ env: { GRIDSTR_HOME: tempHome() } })
    const cap = fc.option(
      fc.integer({ min: 0, max: 2_100_000_000_000 }).map(sats => BigInt(sats) * 1000n),
      { nil: undefined },
    )
    fc.assert(
      fc.property(fc.record({ hourMsats: cap, dayMsats: cap, peerDayMsats: cap }), said => {
        const caps = Object.fromEntries(Object.entries(said).filter(([, msats]) => msats !== undefined))
        home.keepCaps(caps)
        expect(home.caps()).toEqual(caps)
      }),
      { numRuns: 200 },
    )
    for (const text of [
      '',
      '{',
      '[]',
      'null',
      '5',
      '{"hourSats":"5"}',
      '{"hourSats":-1}',
      '{"hourSats":1.5}',
      '{"hoursats":5}',
    ]) {
      writeFileSync(home.capsFile, text)
      expect(() => home.caps(), text).toThrow(/or remove the file/)
    }
  })

  test('a file is written whole or not at all', () => {
    const folder = tempHome()
    const file = join(folder, 'kept')
    writeFileSync(file, 'old', { mode: 0o644 })
    writeWhole(file, 'new')
    expect([readFileSync(file, 'utf8'), mode(file)]).toEqual(['new', 0o600])
    mkdirSync(join(folder, 'folder'))
    expect(() => writeWhole(join(folder, 'folder'), 'x')).toThrow(/cannot be written/)
    expect(readdirSync(folder).sort()).toEqual(['folder', 'kept'])
  })
})

describe('connect', () => {
  const secret = '5e'.repeat(32)
  const uri = (wallet: string) =>
    `nostr+walletconnect://${wallet.repeat(32)}?relay=ws%3A%2F%2F127.0.0.1%3A9&secret=${secret}`
  const real = wallClock()

  async function say(
    argv: readonly string[],
    given: { home?: string; env?: Record<string, string>; stdin?: string } = {},
  ) {
    const lines: string[] = []
    const code = await runCommand(['wallet', ...argv], {
      out: text => void lines.push(text),
      write: text => void lines.push(text),
      err: text => void lines.push(text),
      env: { GRIDSTR_HOME: given.home ?? tempHome(), ...given.env },
      // Patience passes two hundred times faster than time.
      clock: { now: real.now, after: (ms, run) => real.after(ms / 200, run) },
      signal: new AbortController().signal,
      terminal: false,
      stdin: async () => given.stdin ?? '',
    })
    const all = lines.join('\n')
    expect(all).not.toContain(secret)
    return { code, all }
  }

  test('keeps nothing of a wallet that does not answer', async () => {
    const home = tempHome()
    const { code, all } = await say(['connect', uri('ab'), '--json'], { home })
    expect(code).toBe(1)
    expect(all).toMatch(/"code":"wallet"/)
    expect(all).toMatch(/check that it is running/)
    expect(readdirSync(home)).toEqual([])
  })

  test.each<[string, string[], { env?: Record<string, string>; stdin?: string }, RegExp]>([
    ['nothing to connect', ['connect'], {}, /gridstr wallet connect -/],
    ['an empty standard input', ['connect', '-'], { stdin: '\n' }, /No connection string/],
    ['a string cut short', ['connect', uri('ab').slice(0, -1)], {}, /secret is not 64 hex digits/],
    ['one cut short from standard input', ['connect', '-'], { stdin: uri('ab').slice(0, -1) }, /not 64 hex digits/],
    ['one cut short in the environment', ['connect'], { env: { GRIDSTR_WALLET: uri('ab').slice(0, -1) } }, /64 hex/],
    ['two strings', ['connect', uri('ab'), uri('cd')], {}, /One connection string/],
    ['no wallet', ['balance'], {}, /gridstr wallet connect -.*gridstr wallet regtest/],
    ['no journal', ['history', '--journal', '/no/where'], {}, /There is no journal \/no\/where/],
    ['no verb', [], {}, /connect, disconnect, balance, invoice, pay, budget, history, export/],
    ['a string as verb', [uri('ab')], {}, /There is no gridstr wallet/],
    ['an option of another verb', ['balance', '--force'], {}, /--force/],
  ])('%s ends with status 2 and the way out', async (_, argv, given, way) => {
    const { code, all } = await say(argv, given)
    expect(code).toBe(2)
    expect(all).toMatch(way)
    expect(all).not.toContain(secret.slice(2))
  })

  test('another wallet replaces the kept one only by force', async () => {
    const home = tempHome()
    homeOf({ env: { GRIDSTR_HOME: home } }).keepWallet(uri('cd'))
    const { code, all } = await say(['connect', uri('ab')], { home })
    expect(code).toBe(2)
    expect(all).toMatch(/add --force to replace it/)
    // By force, and with the same string, it is asked at least.
    expect((await say(['connect', uri('ab'), '--force'], { home })).code).toBe(1)
    expect((await say(['connect', uri('cd')], { home })).code).toBe(1)
    expect(readFileSync(join(home, 'wallet'), 'utf8').trim()).toBe(uri('cd'))
    expect((await say(['disconnect'], { home })).code).toBe(0)
    expect((await say(['disconnect', '--json'], { home })).all).toMatch(/"code":"no-wallet"/)
  })
})

test('a wallet’s budget is read from what wallets write, and nothing else', () => {
  expect(readBudget({ used_budget: 1_000, total_budget: '5000', renewal_period: 'daily' })).toEqual({
    ...{ usedMsats: 1_000n, totalMsats: 5_000n, period: 'daily' },
  })
  for (const none of [
    {},
    { used_budget: 1 },
    { used_budget: -1, total_budget: 5 },
    { used_budget: 1.5, total_budget: 5 },
  ])
    expect(readBudget(none)).toBeUndefined()
  expect(wordsOfBudget(undefined)).toContain('set caps')
  fc.assert(
    fc.property(fc.anything(), fc.anything(), (renews_at, renewal_period) => {
      const view = readBudget({ used_budget: 1, total_budget: 5, renews_at, renewal_period })
      expect(wordsOfBudget(view)).toContain('0.001 sats of 0.005 sats used')
      expect(wordsOfBudget(view)).not.toMatch(/[\u0000-\u001f]/)
    }),
    { numRuns: 1_000 },
  )
})

test('a wallet that can little is kept, and what that costs is said without its escape sequences', async () => {
  const info: WalletInfo = { alias: 'thin\u001b[2J', network: 'mainnet', methods: ['get_balance', 'x\u001b[2J'] }
  const desk = openTestDesk({
    wallet: own => new Proxy(own, { get: (one, key) => (key === 'info' ? async () => info : bound(one, key)) }),
  })
  desk.answers.set('get_balance', { balance: 5_500 })
  const argv = ['connect', `nostr+walletconnect://${'ab'.repeat(32)}?relay=ws://x&secret=${'5e'.repeat(32)}`]
  const { code, err } = await desk.run(argv)
  expect(code).toBe(0)
  for (const said of ['mainnet: real money', '5.5 sats', 'cannot pay', 'cannot sell', 'shows no history', 'set caps'])
    expect(err).toContain(said)
  expect(err).not.toMatch(/\u001b|5e5e/)
  expect((await desk.run([...argv, '--json'])).rows).toMatchObject([{ ok: true, alias: 'thin', balanceMsats: 5_500 }])
})

describe('a journal that another process has', () => {
  test('is waited for', async () => {
    const desk = openTestDesk({ locked: 5 })
    expect((await desk.run(['invoice', '5'])).code).toBe(0)
    expect(desk.journal.bills.list()).toHaveLength(1)
  })

  test('is named when it stays so, and looking needs no lock', async () => {
    const desk = openTestDesk({ locked: Number.POSITIVE_INFINITY })
    const { code, rows } = await desk.run(['invoice', '5', '--json'])
    expect({ code, rows }).toMatchObject({ code: 1, rows: [{ ok: false, code: 'journal-locked', error: 'in use' }] })
    for (const verb of ['history', 'export', 'budget']) expect((await desk.run([verb])).code).toBe(0)
  })
})
