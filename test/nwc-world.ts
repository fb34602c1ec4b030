/**
 * A NIP-47 service on a simulated wallet and a client of it, over one relay in this process. For the tests of NIP-47.
 * @module
 */
import * as nip04 from 'nostr-tools/nip04'
import * as nip44 from 'nostr-tools/nip44'
import { type MemoryHub, memoryHub } from '../relays/memory.ts'
import type { Relays } from '../relays/relay.ts'
import { type Clock, type HandClock, handClock } from '../src/clock.ts'
import { type Keys, openKeys } from '../src/keys.ts'
import { type NwcService, type NwcServiceOptions, serveNwc } from '../src/payments/nwc/service.ts'
import { type NwcUri, nwcUri } from '../src/payments/nwc/uri.ts'
import type { NwcSeal } from '../src/payments/nwc/wire.ts'
import { type NwcOptions, type NwcWallet, nwcWallet } from '../src/payments/nwc.ts'
import type { Wallet } from '../src/payments/payment.ts'
import { simNet } from '../src/payments/sim.ts'

export const keys: Keys = await openKeys()

export function seal(secret: Uint8Array): NwcSeal {
  const shared = new Map<string, Uint8Array>()
  const conversation = (peer: string) => {
    const known = shared.get(peer) ?? nip44.getConversationKey(secret, peer)
    shared.set(peer, known)
    return known
  }
  return {
    encrypt: (peer, text, scheme = 'nip44') =>
      scheme === 'nip44' ? nip44.encrypt(text, conversation(peer)) : nip04.encrypt(secret, peer, text),
    decrypt: (peer, payload) =>
      payload.includes('?iv=') ? nip04.decrypt(secret, peer, payload) : nip44.decrypt(payload, conversation(peer)),
  }
}

export interface Connection {
  readonly uri: NwcUri
  readonly walletSecret: Uint8Array
  readonly clientPubkey: string
}

/** Fresh keys for both ends. */
export function connection(relays: readonly string[]): Connection {
  const walletSecret = keys.newSecret()
  const secret = keys.newSecret()
  const uri = nwcUri({ wallet: keys.publicKey(walletSecret), relays, secret })
  return { uri, walletSecret, clientPubkey: keys.publicKey(secret) }
}

/** Serves `wallet` over `relays` for one connection. */
export const serve = (
  { walletSecret, clientPubkey }: Connection,
  wallet: Wallet,
  relays: Relays,
  clock: Clock,
  more: Partial<NwcServiceOptions> = {},
): NwcService => serveNwc({ wallet, relays, clock, keys, seal, secret: walletSecret, clientPubkey, ...more })

/** The other end. */
export const join = (
  { uri }: Connection,
  relays: NwcOptions['relays'],
  clock: Clock,
  more: Partial<NwcOptions> = {},
): NwcWallet => nwcWallet({ uri, relays, clock, keys, seal, ...more })

export interface NwcWorld {
  readonly clock: HandClock
  readonly hub: MemoryHub
  readonly net: ReturnType<typeof simNet>
  readonly mine: ReturnType<ReturnType<typeof simNet>['wallet']>
  readonly shop: ReturnType<ReturnType<typeof simNet>['wallet']>
  readonly conn: Connection
  readonly service: NwcService
  readonly client: NwcWallet
  /** Moves the clock until the promise ends. */
  until<T>(promise: Promise<T>, stepMs?: number): Promise<T>
}

/** `client` speaks NIP-47 with `service`, which serves `mine`; `shop` is somebody to pay. */
export function nwcWorld(
  options: { service?: Partial<NwcServiceOptions>; client?: Partial<NwcOptions>; msats?: bigint } = {},
): NwcWorld {
  const clock = handClock()
  const hub = memoryHub({ clock, verify: keys.verify })
  const net = simNet({ clock, seed: 'nwc' })
  const mine = net.wallet({ alias: 'mine', msats: options.msats ?? 10_000_000n })
  const shop = net.wallet({ alias: 'shop', msats: 1_000_000n })
  const conn = connection([hub.url])
  const service = serve(conn, mine, hub.connect(), clock, options.service)
  const client = join(conn, hub.connect(), clock, options.client)
  return { clock, hub, net, mine, shop, conn, service, client, until: (promise, ms) => until(clock, promise, ms) }
}

/** Moves a hand clock in steps until the promise ends. */
export async function until<T>(clock: HandClock, promise: Promise<T>, stepMs = 500): Promise<T> {
  let over = false
  const end = () => {
    over = true
  }
  promise.then(end, end)
  for (let i = 0; i < 400 && !over; i++) await clock.advance(stepMs)
  return promise
}
