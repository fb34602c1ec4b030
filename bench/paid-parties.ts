/**
 * The other processes of the paid bench: `relay` is one embedded relay in memory, `wallets URL DIR` a pair of Lightning
 * wallets served over NIP-47 as `gridstr wallet regtest --dir` serves it, `node URL DIR WALLET` the node that is paid.
 * Each says by IPC when it is ready and ends with its parent.
 * @module
 */
import { join } from 'node:path'
import { startRelay } from '../relays/index.ts'
import { wallClock } from '../src/clock.ts'
import { connectRelays } from '../src/connect.ts'
import { sha256Hex } from '../src/hash.ts'
import { openJournal } from '../src/journal/index.ts'
import { openKeys } from '../src/keys.ts'
import { openNode } from '../src/node/node.ts'
import { ldkPair } from '../src/payments/ldk.ts'
import { serveNwc } from '../src/payments/nwc/service.ts'
import { writeNwcUri } from '../src/payments/nwc/uri.ts'
import { nwcWallet } from '../src/payments/nwc.ts'
import type { Payee } from '../src/payments/payment.ts'
import { echoRunner } from '../src/runners/echo.ts'
import { openSeal } from '../src/seal.ts'
import { now, openMeter } from './paid-meter.ts'

/** What the parent asks of `wallets` and `node`: what they saw, or an invoice and how long it took to get. */
export type Question = { readonly n: number; readonly ask: 'seen' | 'invoice' }
export type Answer = { readonly n: number; readonly says: unknown } | { readonly n: number; readonly trouble: string }
export interface Invoice {
  readonly bolt11: string
  readonly hash: string
  readonly ms: number
}

const priceMsats = 2_000n
/** As the node's own invoices. */
const expirySeconds = 300

const clock = wallClock()
const meter = openMeter()
const plain = await openKeys()
const keys = meter.keys(plain)
const [role, url = '', dir = '', uri = ''] = process.argv.slice(2)
process.once('disconnect', () => process.exit())
const open = () => meter.relays(connectRelays({ urls: [url], keys, clock }))
const seal = (secret: Uint8Array) => openSeal({ keys, secret })

function answer(invoice?: () => Promise<Invoice>): void {
  const say = (words: Answer) => process.send?.(words)
  process.on('message', ({ n, ask }: Question) => {
    if (ask === 'seen') say({ n, says: meter.seen() })
    else
      void invoice?.().then(
        says => say({ n, says }),
        error => say({ n, trouble: String(error) }),
      )
  })
}

async function serveRelay(): Promise<void> {
  // The speed limit per connection is lifted, for all alike: it is a guard against floods and this is one.
  const limits = { messagesPerSecond: 1_000_000, messagesBurst: 1_000_000 }
  const relay = await startRelay({ clock, verify: event => plain.verify(event), limits })
  process.send?.({ url: relay.url })
}

async function serveWallets(): Promise<void> {
  const journal = openJournal(join(dir, 'wallets.db'))
  const shelf = journal.shelf('lightning')
  const store = {
    get: (key: string) => shelf.get(key),
    set: (key: string, value: Uint8Array | string) => shelf.set(key, value, 'money'),
    delete: (key: string) => shelf.delete(key),
    entries: (prefix?: string) => shelf.entries(prefix),
    atomically: <T>(write: () => T) => journal.atomically(write, 'money'),
  }
  const pair = await ldkPair({ clock, store, channelSats: 10_000_000 })
  const relays = open()
  const uris: Record<string, string> = {}
  for (const name of ['payer', 'payee'] as const) {
    const [secret, client] = [keys.newSecret(), keys.newSecret()]
    const kept = { shelf: journal.shelf(`${name} requests`), atomically: journal.atomically }
    const parts = { wallet: pair[name], relays, clock, keys, seal, secret, store: kept }
    const service = serveNwc({ ...parts, clientPubkey: keys.publicKey(client) })
    await service.ready
    uris[name] = writeNwcUri({ wallet: service.pubkey, relays: relays.urls, secret: client })
  }
  answer()
  process.send?.(uris)
}

async function serveNode(): Promise<void> {
  const wallet = nwcWallet({ uri, relays: open, clock, keys, seal })
  const payee: Payee = { ...wallet, bill: (ask, signal) => meter.until('wallet', wallet.bill(ask, signal)) }
  const info = await wallet.info()
  const node = await openNode({
    relays: open(),
    keys,
    secret: keys.newSecret(),
    clock,
    runner: echoRunner({ clock }),
    payee,
    priceMsats,
    journal: meter.journal(openJournal(join(dir, 'node.db'))),
    limits: { jobsPerCustomer: 64, billsPerCustomer: 64, requestsPerMinute: 1_000_000, arrivalsPerMinute: 1_000_000 },
    service: {
      id: 'echo',
      name: 'echo',
      about: 'bench',
      kinds: [5050],
      nodeKeys: info.nodeKey ? [info.nodeKey] : [],
    },
  })
  if (!(await node.ready)) throw new Error('the node does not hear itself')
  let made = 0
  answer(async () => {
    const key = `bench ${++made}`
    const asked = { key, msats: priceMsats, expirySeconds, descriptionHash: sha256Hex(key) }
    const began = now()
    const { bolt11, hash } = await payee.bill(asked)
    return { bolt11, hash, ms: now() - began }
  })
  process.send?.({ pubkey: node.pubkey, network: info.network })
}

if (role === 'relay') await serveRelay()
else if (role === 'wallets') await serveWallets()
else if (role === 'node') await serveNode()
else throw new Error('say "relay", "wallets URL DIR" or "node URL DIR WALLET"')
