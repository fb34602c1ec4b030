/**
 * What the stories about applications share: a relay, a node that sells answers of the shipped model, and a customer's
 * wallet, all on this machine. The money is Lightning on a chain of its own, and the wallet is spoken to over the relay.
 * @module
 */
import assert from 'node:assert/strict'
import { startRelay } from '../../relays/index.ts'
import {
  connectRelays,
  ldkPair,
  type Node,
  openKeys,
  openNode,
  openRunner,
  openSeal,
  serveNwc,
  wallClock,
  writeNwcUri,
} from '../../src/index.ts'

export interface Town {
  readonly relay: string
  /** The customer's wallet: whoever holds this string can spend. */
  readonly wallet: string
  readonly node: Node
  readonly priceMsats: bigint
  /** Msats that the node got so far. */
  earned(): Promise<bigint>
  close(): Promise<void>
}

/** Opens the town. Everything in it listens on nothing but the relay's one port. */
export async function openTown(priceMsats = 2_000n): Promise<Town> {
  const clock = wallClock()
  const keys = await openKeys()
  const relay = await startRelay({ clock, verify: keys.verify })
  const { payer, payee, close } = await ldkPair({ clock })

  const [walletKey, customerKey] = [keys.newSecret(), keys.newSecret()]
  const walletRelays = connectRelays({ urls: [relay.url], keys, clock, secret: walletKey })
  const seal = (secret: Uint8Array) => openSeal({ keys, secret })
  const service = serveNwc({
    ...{ wallet: payer, relays: walletRelays, clock, keys, seal },
    ...{ secret: walletKey, clientPubkey: keys.publicKey(customerKey) },
  })
  await service.ready

  const secret = keys.newSecret()
  const nodeRelays = connectRelays({ urls: [relay.url], keys, clock, secret })
  const runner = openRunner('llama', { clock })
  const { nodeKey = '' } = await payee.info()
  const before = await payee.balance()
  const node = await openNode({
    ...{ relays: nodeRelays, keys, secret, clock, runner, payee, priceMsats },
    service: {
      id: 'nano',
      name: 'A small model',
      about: 'The model that ships.',
      kinds: runner.kinds,
      nodeKeys: [nodeKey],
    },
  })
  assert(await node.ready, 'the node hears itself through the relay')

  return {
    ...{ relay: relay.url, node, priceMsats },
    earned: async () => (await payee.balance()) - before,
    wallet: writeNwcUri({ wallet: service.pubkey, relays: [relay.url], secret: customerKey }),
    async close() {
      await node.close()
      await service.close()
      await Promise.all([runner.close(), nodeRelays.close(), walletRelays.close()])
      await close()
      await relay.close()
    },
  }
}
