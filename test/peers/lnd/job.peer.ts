/** Whole paid jobs on real Lightning: a node that bills with one lnd, a client that pays with the other, NIP-47 between. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { WishedTerms } from '../../../kinds/index.ts'
import { type Client, chooseNode, openClient, readMarket } from '../../../src/client/client.ts'
import { seconds } from '../../../src/clock.ts'
import { type Node, openNode } from '../../../src/node/node.ts'
import { echoRunner } from '../../../src/runners/echo.ts'
import type { PaymentWorld } from '../../suites/payments.ts'
import { memoryWorld, type World } from '../../worlds.ts'
import { clock, nwcWorld } from './stage.ts'

const PRICE = 8_000n

describe('jobs on lnd, NIP-47', () => {
  let money: PaymentWorld
  let world: World
  let node: Node
  let client: Client
  let ask: (text: string, terms?: WishedTerms) => ReturnType<Client['ask']>
  beforeAll(async () => {
    money = await nwcWorld()
    world = await memoryWorld(clock)
    const { keys } = world
    const [nodeSecret, clientSecret] = [keys.newSecret(), keys.newSecret()]
    const { nodeKey } = await money.payee.info()
    node = await openNode({
      ...{ relays: world.connect(nodeSecret), keys, secret: nodeSecret, clock, runner: echoRunner({ clock }) },
      ...{ payee: money.payee, priceMsats: PRICE },
      service: { id: 'lnd', name: 'lnd', about: 'a test', kinds: [5050], nodeKeys: nodeKey ? [nodeKey] : [] },
    })
    expect(await node.ready).toBe(true)
    const relays = world.connect(clientSecret)
    client = openClient({ relays, keys, secret: clientSecret, clock, payer: money.payer, network: 'regtest' })
    ask = async (text, terms) => {
      const choice = chooseNode(await readMarket(relays, seconds(clock)), { capMsats: PRICE, to: node.pubkey })
      if (!choice.ok) throw new Error(choice.says)
      const { pubkey, announcement } = choice.offer
      return client.ask({
        text,
        node: { pubkey, announcement },
        capMsats: PRICE,
        maxTokens: 10,
        ...(terms && { terms }),
      })
    }
  })
  afterAll(async () => {
    await node.close()
    await world.close()
    await money.close()
  })

  const wishes: [string, WishedTerms | undefined][] = [
    ['before the work', undefined],
    ['held until the answer is there', { word: 'hold' }],
    ['in two parts', { word: 'parts', parts: 2 }],
  ]
  for (const [how, terms] of wishes)
    test(`paid ${how}: the answer comes, and the money moved by exactly the price`, async () => {
      const before = { payer: await money.payer.balance(), payee: await money.payee.balance() }
      for (const at of [1n, 2n, 3n]) {
        // Ten words, which are said again: a job of ten tokens that is paid in parts needs all of them.
        const text = `question ${at} of a few words that are said again`
        expect(await ask(text, terms)).toMatchObject({ ok: true, msats: PRICE, text })
        expect(await money.payer.balance()).toBe(before.payer - PRICE * at)
        expect(await money.payee.balance()).toBe(before.payee + PRICE * at)
      }
    })
})
