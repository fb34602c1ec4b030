/**
 * Where a paid job is played: relays, a proxy between each of them and each party, and two wallets served over NIP-47,
 * all on one clock that stands still while anything moves.
 * @module
 */
import { kinds } from '../../kinds/index.ts'
import { startRelay } from '../../relays/embedded/relay.ts'
import { openPool } from '../../relays/pool.ts'
import type { Relays } from '../../relays/relay.ts'
import { openIntake } from '../../src/intake.ts'
import { type Keys, openKeys } from '../../src/keys.ts'
import { serveNwc } from '../../src/payments/nwc/service.ts'
import { nwcUri } from '../../src/payments/nwc/uri.ts'
import { nwcWallet } from '../../src/payments/nwc.ts'
import type { Wallet } from '../../src/payments/payment.ts'
import { openSeal } from '../../src/seal.ts'
import { openWeather, type Planted, randomOf, type Weather } from './faults.ts'
import { type ChaosProxy, openProxy, type Passed } from './proxy.ts'
import { type QuietClock, quietClock } from './quiet-clock.ts'
import { openRail, type Rail, type RailName } from './rails.ts'

export interface StandOptions {
  /** One list for each relay; an empty one is an honest relay. */
  readonly relays: readonly (readonly Planted[])[]
  readonly seed: number
  readonly rail?: RailName
}

export interface Stand {
  readonly clock: QuietClock
  readonly keys: Keys
  readonly rail: Rail
  /** What each relay does, in the order of the options. */
  readonly weathers: readonly Weather[]
  /** The wallets as node and client have them: over NIP-47. */
  readonly payee: Wallet
  readonly payer: Wallet
  /** Relays as a party has them: through its own proxies. */
  connect(party: 'node' | 'client'): Relays
  /** Every frame that passed a proxy. */
  passed(): readonly Passed[]
  /** Called when the stand closes, before what was opened earlier. */
  closing(close: () => Promise<unknown>): void
  close(): Promise<void>
}

const keys = await openKeys()
const seal = (secret: Uint8Array) => openSeal({ keys, secret })
const verify = (event: Parameters<Keys['verify']>[0]) => keys.verify(event)

/** Opens everything; `close` ends it in the opposite order. */
export async function openStand(options: StandOptions): Promise<Stand> {
  const clock = quietClock()
  const random = randomOf(options.seed)
  const closers: (() => Promise<unknown>)[] = []
  const opened = <T extends { close(): Promise<unknown> }>(thing: T): T => {
    closers.unshift(() => thing.close())
    return thing
  }
  const weathers = options.relays.map((planted, index) => openWeather(planted, options.seed * 31 + index))
  const urls: string[] = []
  for (const _ of options.relays) urls.push(opened(await startRelay({ clock, verify })).url)
  const proxies: ChaosProxy[][] = weathers.map(() => [])

  async function doorsOf(party: string): Promise<readonly string[]> {
    const doors: string[] = []
    for (const [index, weather] of weathers.entries()) {
      const ofRelay = proxies[index] ?? []
      const onDeath = () => {
        for (const one of ofRelay) one.kill()
      }
      const wires = { weather, clock, onMove: clock.stir, onDeath }
      const proxy = opened(await openProxy({ party, relay: urls[index] ?? '', ...wires }))
      ofRelay.push(proxy)
      doors.push(proxy.url)
    }
    return doors
  }

  const pool = (doors: readonly string[]): Relays => {
    const { admit } = openIntake({
      ...{ verify: keys.signed, clock, kinds: kinds.map(kind => kind.number), seenMax: 0 },
      windowSeconds: { past: Number.POSITIVE_INFINITY, ahead: 900 },
    })
    return opened(openPool({ urls: doors, clock, admit, random }))
  }

  const rail = opened(await openRail(options.rail ?? 'sim', clock))
  const doors = { wallet: await doorsOf('wallet'), node: await doorsOf('node'), client: await doorsOf('client') }
  const served = pool(doors.wallet)
  const share = (wallet: Wallet, party: 'node' | 'client'): Wallet => {
    const [secret, mine] = [keys.newSecret(), keys.newSecret()]
    const about = { secret, clientPubkey: keys.publicKey(mine) }
    const service = opened(serveNwc({ wallet, relays: served, clock, keys, seal, ...about }))
    const uri = nwcUri({ wallet: service.pubkey, relays: doors[party], secret: mine })
    return opened(nwcWallet({ uri, relays: pool, clock, keys, seal }))
  }

  return {
    ...{ clock, keys, rail, weathers },
    payee: share(rail.payee, 'node'),
    payer: share(rail.payer, 'client'),
    connect: party => pool(doors[party]),
    passed: () => proxies.flat().flatMap(proxy => proxy.passed),
    closing: close => void closers.unshift(close),
    async close() {
      const closing = (async () => {
        for (const close of closers) await close().catch(() => {})
      })()
      await clock.until(closing, 600)
    },
  }
}
