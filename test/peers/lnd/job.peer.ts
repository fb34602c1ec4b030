/** A whole paid job on real Lightning: a node that bills with one lnd, a client that pays with the other, NIP-47 between. */
import { expect, test } from 'vitest'
import { chooseNode, openClient, readMarket } from '../../../src/client/client.ts'
import { seconds } from '../../../src/clock.ts'
import { openNode } from '../../../src/node/node.ts'
import { echoRunner } from '../../../src/runners/echo.ts'
import { memoryWorld } from '../../worlds.ts'
import { clock, nwcWorld } from './stage.ts'

const PRICE = 7_000n

test('jobs on lnd: asked, billed, paid, answered, and the money moved by exactly the price', async () => {
  const money = await nwcWorld()
  const world = await memoryWorld(clock)
  const { keys } = world
  const [nodeSecret, clientSecret] = [keys.newSecret(), keys.newSecret()]
  const { nodeKey } = await money.payee.info()
  const node = await openNode({
    ...{ relays: world.connect(nodeSecret), keys, secret: nodeSecret, clock, runner: echoRunner({ clock }) },
    ...{ payee: money.payee, priceMsats: PRICE },
    service: { id: 'lnd', name: 'lnd', about: 'a test', kinds: [5050], nodeKeys: nodeKey ? [nodeKey] : [] },
  })
  try {
    expect(await node.ready).toBe(true)
    const relays = world.connect(clientSecret)
    const client = openClient({ relays, keys, secret: clientSecret, clock, payer: money.payer, network: 'regtest' })
    const choice = chooseNode(await readMarket(relays, seconds(clock)), { capMsats: PRICE, to: node.pubkey })
    if (!choice.ok) throw new Error(choice.says)
    const { pubkey, announcement } = choice.offer
    const before = { payer: await money.payer.balance(), payee: await money.payee.balance() }
    for (const [at, text] of ['first', 'second', 'third'].entries()) {
      const outcome = await client.ask({ text, node: { pubkey, announcement }, capMsats: PRICE })
      expect(outcome).toMatchObject({ ok: true, msats: PRICE, text: expect.stringContaining(text) })
      const moved = PRICE * BigInt(at + 1)
      expect(await money.payer.balance()).toBe(before.payer - moved)
      expect(await money.payee.balance()).toBe(before.payee + moved)
    }
  } finally {
    await node.close()
    await world.close()
    await money.close()
  }
})
