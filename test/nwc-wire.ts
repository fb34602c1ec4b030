/**
 * Relays in a test's hand: what is listened to gets exactly what the test delivers, what is published is kept. For the
 * tests of the NIP-47 service.
 * @module
 */
import { type Event, type WalletRequest, walletNotification, walletRequest, walletResponse } from '../kinds/index.ts'
import type { Filter, ListenOptions, Published, Relays } from '../relays/relay.ts'
import { type HandClock, handClock, seconds } from '../src/clock.ts'
import type { ReplyBody } from '../src/payments/nwc/body.ts'
import type { NwcServiceOptions } from '../src/payments/nwc/service.ts'
import { type SimWallet, simNet } from '../src/payments/sim.ts'
import { connection, keys, seal, serve } from './nwc-world.ts'

export interface Wire {
  readonly relays: Relays
  readonly filters: Filter[][]
  readonly published: Event[]
  /** What the relays say to a publication; may throw. */
  verdict: () => Published
  deliver(event: Event): void
}

export function wire(): Wire {
  const listeners: ListenOptions[] = []
  const self: Wire = {
    filters: [],
    published: [],
    verdict: () => ({ accepted: 1, enough: true, acks: [{ relay: 'ws://wire', ok: true, says: '' }] }),
    deliver(event) {
      for (const { onEvent } of listeners) onEvent(event, 'ws://wire')
    },
    relays: {
      urls: ['ws://wire'],
      async publish(event) {
        self.published.push(event)
        return self.verdict()
      },
      listen(filters, options) {
        self.filters.push(filters)
        listeners.push(options)
        queueMicrotask(() => options.onEose?.())
        return { live: Promise.resolve(), close: () => void listeners.splice(listeners.indexOf(options), 1) }
      },
      state: () => [],
      close: async () => {},
    },
  }
  return self
}

export interface RequestOptions {
  at?: number
  expiresAt?: number
  secret?: Uint8Array
  scheme?: 'nip44' | 'nip04'
  content?: string
  wallet?: string
  /** Leaves the tag out, as old clients do. */
  untagged?: boolean
}

/** A service over a wire, with what a client would send and read. */
export function serviceWorld(options: Partial<NwcServiceOptions> & { msats?: bigint; holds?: boolean } = {}) {
  const clock: HandClock = handClock()
  const net = simNet({ clock, seed: 'service' })
  const mine: SimWallet = net.wallet({
    alias: 'mine',
    msats: options.msats ?? 1_000_000n,
    holds: options.holds ?? true,
  })
  const shop: SimWallet = net.wallet({ alias: 'shop', msats: 1_000_000n })
  const conn = connection(['ws://wire'])
  const line = wire()
  const box = seal(conn.uri.secret)
  const service = serve(conn, options.wallet ?? mine, line.relays, clock, options)

  const request = (method: string, params: object = {}, over: RequestOptions = {}): Event => {
    const { scheme = 'nip44', at = seconds(clock), secret = conn.uri.secret, wallet = conn.uri.wallet } = over
    const value: WalletRequest = {
      ...{ wallet, encryption: scheme === 'nip44' ? 'nip44_v2' : 'nip04', body: { method, params: { ...params } } },
      ...(over.expiresAt !== undefined && { expiresAt: over.expiresAt }),
    }
    const template = walletRequest.write(value, at, text => over.content ?? box.encrypt(conn.uri.wallet, text, scheme))
    const tags = over.untagged ? template.tags.filter(tag => tag[0] !== 'encryption') : template.tags
    return keys.sign({ ...template, tags }, secret)
  }
  const opened = (event: Event): string => box.decrypt(conn.uri.wallet, event.content)
  /** Every answer to a request so far. */
  const answers = (id: string): ReplyBody[] =>
    line.published.flatMap(event => {
      if (event.kind !== walletResponse.number) return []
      const read = walletResponse.read(event, opened(event))
      return read.ok && read.value.request === id ? [read.value.body] : []
    })
  const notifications = () =>
    line.published.flatMap(event => {
      if (event.kind !== walletNotification.number) return []
      const read = walletNotification.read(event, opened(event))
      return read.ok ? [read.value.body] : []
    })
  /** Delivers a request and gives the one answer to it. */
  const ask = async (method: string, params: object = {}, over: RequestOptions = {}): Promise<ReplyBody> => {
    await service.ready
    const event = request(method, params, over)
    line.deliver(event)
    await clock.advance(100)
    const [answer, second] = answers(event.id)
    if (!answer || second) throw new Error(answer ? 'two answers' : 'no answer')
    return answer
  }
  const bill = (key: string, msats: bigint) => shop.bill({ key, msats, expirySeconds: 3_600, description: key })
  return { clock, net, mine, shop, conn, line, service, request, answers, notifications, ask, bill, opened }
}
