/**
 * A NIP-47 service on a simulated wallet and a client of it, over one relay in this process. For the tests of NIP-47.
 * @module
 */
import { addressedTo, type Event, walletNotification, walletRequest, walletResponse } from '../kinds/index.ts'
import { frozenEvent, isEvent } from '../relays/frames.ts'
import { type MemoryHub, memoryHub } from '../relays/memory.ts'
import type { Admit, Relays } from '../relays/relay.ts'
import { type Clock, type HandClock, handClock, seconds } from '../src/clock.ts'
import { type Keys, openKeys } from '../src/keys.ts'
import type { NwcSeal } from '../src/payments/nwc/ports.ts'
import { type NwcService, type NwcServiceOptions, serveNwc } from '../src/payments/nwc/service.ts'
import { type NwcUri, nwcUri } from '../src/payments/nwc/uri.ts'
import { type NwcOptions, type NwcWallet, nwcWallet } from '../src/payments/nwc.ts'
import type { Wallet } from '../src/payments/payment.ts'
import { simNet } from '../src/payments/sim.ts'
import { openSeal } from '../src/seal.ts'

export const keys: Keys = await openKeys()

/** The door of the pools: only what its author signed. */
export const admit: Admit = raw => (isEvent(raw) && keys.verify(raw) ? frozenEvent(raw) : undefined)

export const seal = (secret: Uint8Array): NwcSeal => openSeal({ keys, secret })

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

/** One request as a scripted wallet sees it. */
export interface Asked {
  readonly id: string
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
  readonly event: Event
  /** Publishes a reply; by default a true one: JSON of `body`, sealed like the request, signed by the wallet. */
  reply(body: unknown, other?: { request?: string; client?: string; secret?: Uint8Array; content?: string }): void
  /** Publishes a notification to the same client. */
  notify(body: object): void
}

/** A wallet that does exactly what a test tells it. Returns what it was asked so far. */
export function scripted(
  { walletSecret, clientPubkey, uri }: Connection,
  relays: Relays,
  clock: Clock,
  answer: (asked: Asked) => void,
): Asked[] {
  const all: Asked[] = []
  const box = seal(walletSecret)
  relays.listen([addressedTo([uri.wallet], [walletRequest.number], { authors: [clientPubkey] })], {
    onEvent(event) {
      const read = walletRequest.read(event, box.decrypt(clientPubkey, event.content))
      if (!read.ok) throw new Error(read.says)
      const scheme = event.content.includes('?iv=') ? 'nip04' : 'nip44'
      const asked: Asked = {
        ...{ id: event.id, ...read.value.body, event },
        notify(said) {
          const body = { notification_type: '', notification: {} }
          const template = walletNotification.write({ client: clientPubkey, body }, seconds(clock))
          const content = box.encrypt(clientPubkey, JSON.stringify(said), 'nip44')
          void relays.publish(keys.sign({ ...template, content }, walletSecret))
        },
        reply(said, { request = event.id, client = clientPubkey, secret = walletSecret, content } = {}) {
          const body = { result_type: '', error: null, result: {} }
          const template = walletResponse.write({ client, request, body }, seconds(clock))
          const text = typeof said === 'string' ? said : JSON.stringify(said)
          const sealed = content ?? box.encrypt(clientPubkey, text, scheme)
          void relays.publish(keys.sign({ ...template, content: sealed }, secret))
        },
      }
      all.push(asked)
      answer(asked)
    },
  })
  return all
}
