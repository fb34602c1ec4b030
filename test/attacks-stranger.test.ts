/**
 * A hostile bystander in a process of its own sends invoices over 50,000 sats to whoever asks anything. The customer allows more than that,
 * so that nothing but the choice of its node keeps the money.
 */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { connectWallet } from '../src/cli/wiring.ts'
import { wallClock } from '../src/clock.ts'
import { openKeys } from '../src/keys.ts'
import { keeps } from './promises.ts'
import { isReady, openTown, type Row, type Running, root, rows, start, type Town, textOf } from './spawn.ts'

const PRICE = 3_000
let town: Town
let stranger: Running
beforeAll(async () => {
  // Slower than the stranger, who has the first and the last word.
  town = await openTown({ node: ['--runner', 'echo', '--price-msats', String(PRICE), '--delay-ms', '800'] })
  const argv = ['--relay', town.url, '--wallet', town.payee, '--node', town.nodeKey]
  stranger = start('stranger', process.execPath, ['test/hostile/stranger.ts', ...argv], { cwd: root })
  await stranger.row(isReady)
}, 60_000)
afterAll(async () => {
  await stranger.stop()
  expect(await town.close()).toEqual({ relay: 0, wallet: 0, node: 0 })
})

describe('an invoice for what was never ordered', () => {
  keeps(
    'pay.chosen',
    'plain, sealed, wrapped, for our job and for others, as bill and as result: the chosen node is paid, and nobody else',
    async () => {
      const argv = ['--to', town.nodeKey, '--max-sats', '60000', '--wallet', town.payer]
      const asks: Running[] = []
      const told: Row[] = []
      for (const text of ['one', 'two']) {
        const ask = town.ask([...argv, text])
        asks.push(ask)
        expect((await ask.exit(60_000)).code, ask.err.join('\n')).toBe(0)
        const row = rows(ask.out.slice(-1))[0] ?? {}
        told.push(row)
        await stranger.row(said => said['event'] === 'pestered' && said['job'] === row['request'])
      }
      expect(told).toMatchObject([
        { ok: true, text: 'one', msats: PRICE },
        { ok: true, text: 'two', msats: PRICE },
      ])
      const purse = connectWallet(town.payer, await openKeys(), wallClock())
      const sent = await purse.transactions({ limit: 1_000, unpaid: true, type: 'outgoing' })
      await purse.close()
      expect(sent.map(({ msats, state }) => ({ msats, state }))).toEqual([
        { msats: BigInt(PRICE), state: 'settled' },
        { msats: BigInt(PRICE), state: 'settled' },
      ])
      const offered = rows(stranger.out).flatMap(row => (row['event'] === 'billed' ? [textOf(row, 'bolt11')] : []))
      expect(offered).toHaveLength(2)
      expect(sent.filter(({ bolt11 }) => offered.includes(bolt11))).toEqual([])
      // Nothing of it reaches the user's eyes, either.
      for (const ask of asks)
        expect(`${ask.out.join('\n')}${ask.err.join('\n')}`).not.toMatch(/50,?000|that you ordered/)
    },
    180_000,
  )

  keeps(
    'work.paid',
    'nor does the node take the stranger’s words for a payment or for a job',
    async () => {
      const events = rows(town.node.out)
      const of = (event: string) => events.filter(row => row['event'] === event).length
      expect([of('accepted'), of('paid'), of('running'), of('delivered')]).toEqual([2, 2, 2, 2])
    },
    120_000,
  )
})
