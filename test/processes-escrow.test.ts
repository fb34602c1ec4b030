/** Escrow as users run it: relay, wallets, verifier, node and client as processes of their own. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectWallet } from '../src/cli/wiring.ts'
import { wallClock } from '../src/clock.ts'
import { connectRelays } from '../src/connect.ts'
import { npub, openKeys } from '../src/keys.ts'
import { openNode } from '../src/node/node.ts'
import { echoRunner } from '../src/runners/echo.ts'
import { keeps } from './promises.ts'
import { freshHome, gridstr, isReady, openTown, type Row, type Running, rows, type Town, textOf } from './spawn.ts'

const clock = wallClock()
const last = (lines: readonly string[]): Row => rows(lines.slice(-1))[0] ?? {}
const of = (event: string, job: unknown) => (row: Row) => row['event'] === event && row['job'] === job

async function balancesOf(town: Town): Promise<number[]> {
  const keys = await openKeys()
  const wallets = [town.payer, town.payee].map(uri => connectWallet(uri, keys, clock))
  const found = await Promise.all(wallets.map(wallet => wallet.balance()))
  for (const wallet of wallets) await wallet.close()
  return found.map(Number)
}

describe('a verifier of its own', () => {
  const home = freshHome()
  let town: Town
  let verifier: Running
  let key = ''
  const verify = () =>
    gridstr(['verifier', '--relay', town.url, '--judge', 'rerun', '--runner', 'echo', '--json'], { GRIDSTR_HOME: home })
  const ask = (node: string, text: string) =>
    town.ask(['--to', node, '--max-sats', '5', '--terms', `escrow:${key}`, text], { GRIDSTR_WALLET: town.payer })
  const balances = () => balancesOf(town)

  beforeAll(async () => {
    town = await openTown({ node: ['--runner', 'echo', '--price-msats', '3000'] })
    verifier = verify()
    key = textOf(await verifier.row(isReady), 'npub')
  })
  afterAll(async () => {
    if (!verifier.ended) expect(await verifier.stop()).toBe(0)
    expect(await town.close()).toEqual({ relay: 0, wallet: 0, node: 0 })
  })

  keeps('pay.escrow', 'the verifier does the work again, releases, and the node is paid', async () => {
    const [payer = 0, payee = 0] = await balances()
    const asked = ask(town.nodeKey, 'one two three')
    expect((await asked.exit()).code).toBe(0)
    const done = last(asked.out)
    expect(done).toMatchObject({ ok: true, text: 'one two three', msats: 3000 })
    const about = { job: done['request'], node: town.nodeKey, msats: 3000 }
    expect(await verifier.row(of('case', done['request']))).toMatchObject({ ...about, state: 'open' })
    expect(await verifier.row(of('verdict', done['request']))).toMatchObject({ ...about, state: 'released' })
    expect(await town.node.row(of('paid', done['request']))).toMatchObject({ msats: 3000 })
    expect(await balances()).toEqual([payer - 3000, payee + 3000])
  })

  keeps('pay.escrow', 'a node that lies is not paid, and the customer is told what the answer is worth', async () => {
    const keys = await openKeys()
    const secret = keys.newSecret()
    const payee = connectWallet(town.payee, keys, clock)
    const relays = connectRelays({ urls: [town.url], keys, clock })
    const runner = echoRunner({ clock, fault: 'lies' })
    const service = { id: 'liar', name: 'liar', about: 'lies', kinds: runner.kinds, nodeKeys: [] }
    const liar = await openNode({ relays, keys, secret, clock, runner, payee, priceMsats: 3_000n, service })
    try {
      expect(await liar.ready).toBe(true)
      const before = await balances()
      const asked = ask(npub(liar.pubkey), 'one two three')
      expect((await asked.exit()).code).toBe(1)
      const done = last(asked.out)
      expect(done).toMatchObject({ ok: false, code: 'refunded', msats: 0 })
      expect(textOf(done, 'error')).toMatch(/verifier did not release the money, and it came back to you/)
      expect(await verifier.row(of('verdict', done['request']))).toMatchObject({
        state: 'refunded',
        says: 'The work was done again and the texts differ.',
      })
      expect(await balances()).toEqual(before)
    } finally {
      await liar.close()
      await payee.close()
      await relays.close()
    }
  })

  test('its key and its cases outlive it; what it says to people holds no secret', async () => {
    expect(await verifier.stop()).toBe(0)
    expect(verifier.err.join('\n')).toContain('ended; no case is open')
    const again = verify()
    expect(textOf(await again.row(isReady), 'npub')).toBe(key)
    expect(await again.stop()).toBe(0)
    expect(again.err.join('\n')).toContain('0 cases open')
    expect([...again.err, ...verifier.err, ...again.out, ...verifier.out].join('\n')).not.toContain('nsec1')
  })
})

describe('a verifier who listens to the customer', () => {
  const home = freshHome()
  let town: Town
  let verifier: Running
  let key = ''
  const ask = (...argv: string[]) =>
    town.ask(['--terms', `escrow:${key}`, '--max-sats', '5', ...argv], {
      GRIDSTR_WALLET: town.payer,
      GRIDSTR_HOME: home,
    })
  beforeAll(async () => {
    town = await openTown({ node: ['--runner', 'echo', '--price-msats', '3000'] })
    verifier = gridstr(['verifier', '--relay', town.url, '--judge', 'customer', '--wait', '3', '--json'])
    key = textOf(await verifier.row(isReady), 'npub')
  })
  afterAll(async () => {
    if (!verifier.ended) expect(await verifier.stop()).toBe(0)
    expect(await town.close()).toMatchObject({ relay: 0, wallet: 0, node: 0 })
  })

  keeps('pay.escrow', 'silence releases after its time', async () => {
    const asked = ask('silence is gold')
    expect((await asked.exit()).code).toBe(0)
    const done = last(asked.out)
    expect(done).toMatchObject({ ok: true, msats: 3000 })
    expect(await verifier.row(of('verdict', done['request']))).toMatchObject({
      says: 'The customer said nothing against it.',
    })
  })

  keeps('pay.escrow', 'a complaint brings the money back', async () => {
    expect(await verifier.stop()).toBe(0)
    verifier = gridstr(['verifier', '--relay', town.url, '--judge', 'customer', '--wait', '600', '--json'])
    key = textOf(await verifier.row(isReady), 'npub')
    const before = await balancesOf(town)
    const asked = ask('not what I wanted')
    await asked.row(row => row['event'] === 'chunk')
    const { job } = await verifier.row(row => row['event'] === 'case')
    await asked.stop()
    const complaint = ask('--complain', String(job))
    expect((await complaint.exit()).code).toBe(0)
    expect(last(complaint.out)).toEqual({ ok: true, request: job, said: 'complain' })
    expect(await verifier.row(of('verdict', job))).toMatchObject({ state: 'refunded' })
    await town.node.row(of('released', job))
    expect(await balancesOf(town)).toEqual(before)
    const stranger = town.ask(['--complain', String(job)])
    expect((await stranger.exit()).code).toBe(1)
    expect(last(stranger.out)).toMatchObject({ ok: false, code: 'no-case' })
  })
})
