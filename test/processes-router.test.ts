/** Routed jobs as processes of their own: who is killed, what the customer gets, and what it costs. */
import { describe, expect } from 'vitest'
import { keeps } from './promises.ts'
import { gridstr, isReady, openTown, type Row, type Running, rows, textOf } from './spawn.ts'

const is = (event: string) => (row: Row) => row['event'] === event
const last = (running: Running): Row => rows(running.out.slice(-1))[0] ?? {}
const text = 'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen'
const price = 4_000
const echo = ['--runner', 'echo', '--price-msats', String(price), '--piece-ms', '120', '--no-benchmark']

/** A relay, wallets, two nodes and a router. */
async function openMarketTown() {
  const town = await openTown({ node: echo })
  const env = { GRIDSTR_WALLET: town.payee }
  const second = gridstr(['node', '--relay', town.url, '--json', ...echo], env)
  const router = gridstr(['router', '--relay', town.url, '--network', 'regtest', '--json'])
  const nodes = new Map([[town.nodeKey, town.node]])
  nodes.set(textOf(await second.row(isReady), 'pubkey'), second)
  const npub = textOf(await router.row(isReady), 'npub')
  return {
    ...{ town, router, nodes },
    ask: (...argv: string[]) =>
      town.ask(['--router', npub, '--no-hedge', '--max-sats', '12', ...argv, text], { GRIDSTR_WALLET: town.payer }),
    async close() {
      for (const one of [router, second]) if (!one.ended) await one.stop()
      await town.close()
    },
  }
}

/** The words that a client has streamed so far. */
const shown = (ask: Running): string =>
  rows(ask.out)
    .filter(is('chunk'))
    .map(row => row['text'])
    .join('')

describe('a routed job', () => {
  keeps(
    'pay.failover',
    'whose node is killed in the stream is finished by another node, and each part is paid once',
    async () => {
      const market = await openMarketTown()
      const ask = market.ask('--terms', 'parts:4', '--max-tokens', '16')
      // In the second part: the first one is whole, the third is not paid.
      await ask.row(row => is('chunk')(row) && shown(ask).includes('six'))
      const attempt = rows(ask.out).find(is('attempt')) ?? {}
      const victim = market.nodes.get(textOf(attempt, 'node'))
      await victim?.kill()
      expect(victim).toBeDefined()
      expect((await ask.exit(60_000)).code).toBe(0)
      const done = last(ask)
      expect(done).toMatchObject({ ok: true, text })
      expect(shown(ask)).toBe(text)
      const attempts = done['attempts'] as readonly Row[]
      expect(attempts).toHaveLength(2)
      const [first, second] = attempts
      expect(first).toMatchObject({ node: textOf(attempt, 'node'), state: 'dead', parts: 2, msats: price / 2 })
      expect(second).toMatchObject({ state: 'answered' })
      // The part under way when the node died is bought again, and no other.
      expect(second?.['msats']).toBeLessThanOrEqual((price * 3) / 4)
      expect(done['msats']).toBe(Number(first?.['msats']) + Number(second?.['msats']))
      expect(done['msats']).toBeLessThanOrEqual(price + price / 4)
      await market.close()
    },
  )

  keeps(
    'route.unneeded',
    'does not notice that its router is killed',
    async () => {
      const market = await openMarketTown()
      const ask = market.ask()
      await ask.row(is('chunk'))
      await market.router.kill()
      expect((await ask.exit(60_000)).code).toBe(0)
      expect(last(ask)).toMatchObject({ ok: true, text, msats: price })
      expect(last(ask)['attempts']).toMatchObject([{ state: 'answered' }])
      await market.close()
    },
    120_000,
  )
})
