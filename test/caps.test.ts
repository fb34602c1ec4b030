/** Caps over time, in the client's own books: they hold over jobs, nodes and restarts. */
import { expect, test } from 'vitest'
import { openClient } from '../src/client/client.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { type Market, openMarket, walletMsats } from './market.ts'
import { keeps } from './promises.ts'
import { memoryWorld } from './worlds.ts'

const within = async (caps: object, body: (market: Market, again: () => Promise<Market['ask']>) => Promise<void>) => {
  const world = await memoryWorld()
  const journal = memoryJournal()
  const market = await openMarket(world, { client: { journal, caps } })
  const again = async (): Promise<Market['ask']> => {
    const { keys, clock } = world
    const parts = { keys, clock, journal, caps, payer: market.payer, network: 'regtest' as const }
    const client = openClient({ ...parts, relays: world.connect(), secret: keys.newSecret() })
    const announcement = {
      ...{ id: 'x', kinds: [5050], topics: [], name: 'x', about: '', encrypted: true, models: [], nodeKeys: [] },
      ...{ zappers: [], custodial: false, relays: [], v: 1, priceMsats: 2_000n },
    }
    const node = { pubkey: market.node.pubkey, announcement }
    return question => client.ask({ node, ...question, capMsats: question.capMsats ?? 5_000n })
  }
  try {
    await body(market, again)
  } finally {
    await market.close()
  }
}

for (const [name, code] of [
  ['hourMsats', 'over-hour'],
  ['dayMsats', 'over-day'],
  ['peerDayMsats', 'over-peer'],
] as const)
  keeps('pay.spent', `${name}: the second job of two that fit only one is refused, also by the next process`, () =>
    within({ [name]: 3_000n }, async ({ ask, payer }, again) => {
      expect(await ask({ text: 'one' })).toMatchObject({ ok: true, msats: 2_000n })
      expect(await ask({ text: 'two' })).toMatchObject({ ok: false, code, msats: 0n })
      const next = await again()
      expect(await next({ text: 'three' })).toMatchObject({ ok: false, code, msats: 0n })
      expect(await payer.balance()).toBe(walletMsats - 2_000n)
    }),
  )

test('two jobs at once under a cap for one: one is paid, one is refused', () =>
  within({ dayMsats: 3_000n }, async ({ ask, payer }) => {
    const outcomes = await Promise.all([ask({ text: 'one' }), ask({ text: 'two' })])
    expect(outcomes.map(({ ok }) => ok).sort()).toEqual([false, true])
    expect(await payer.balance()).toBe(walletMsats - 2_000n)
  }))

test('a payment that failed for certain does not count against the caps', () =>
  within({ dayMsats: 3_000n }, async ({ ask, payer }) => {
    payer.faults = { pay: 'fail' }
    expect(await ask({ text: 'one' })).toMatchObject({ ok: false, msats: 0n })
    payer.faults = {}
    expect(await ask({ text: 'two' })).toMatchObject({ ok: true, msats: 2_000n })
  }))
