/**
 * A real relay on a real socket and whoever talks over it: our parts, and strangers who sign whatever they like.
 * @module
 */
import type { Event, Template } from '../kinds/index.ts'
import { startRelay } from '../relays/embedded/relay.ts'
import { openPool } from '../relays/pool.ts'
import type { Relays } from '../relays/relay.ts'
import { seconds, wallClock } from '../src/clock.ts'
import { openKeys } from '../src/keys.ts'
import { openSeal, type Seal } from '../src/seal.ts'
import { doorOf, type World } from './worlds.ts'

export const clock = wallClock()

export interface Stage extends World {
  readonly url: string
  /** A participant who keeps no rules. */
  stranger(secret?: Uint8Array): Stranger
}

export interface Stranger {
  readonly secret: Uint8Array
  readonly pubkey: string
  readonly relays: Relays
  readonly seal: Seal
  sign(template: Omit<Template, 'created_at'> & { created_at?: number }): Event
  /** Signs and publishes; resolves with what the relay took. */
  say(template: Omit<Template, 'created_at'> & { created_at?: number }): Promise<Event>
  /** Calls for everything that this key may want to react to. Resolves when it is live. */
  hear(onEvent: (event: Event) => void): Promise<void>
}

/** The embedded relay on a free port; everything that it passes on is kept in `seen`. */
export async function openStage(): Promise<Stage> {
  const keys = await openKeys()
  const start = (port: number) => startRelay({ port, clock, verify: event => keys.verify(event) })
  let relay = await start(0)
  const { port, url } = relay
  const open: Relays[] = []
  const seen: Event[] = []
  const connect = () => {
    const relays = openPool({ urls: [url], clock, admit: doorOf(keys), limits: { backoffMs: [20, 100] } })
    open.push(relays)
    return relays
  }
  await connect().listen([{ since: 0 }], { onEvent: event => seen.push(event) }).live
  return {
    name: 'socket',
    clock,
    keys,
    url,
    connect,
    seen,
    stranger(secret = keys.newSecret()) {
      const relays = connect()
      const sign: Stranger['sign'] = template => keys.sign({ created_at: seconds(clock), ...template }, secret)
      return {
        secret,
        pubkey: keys.publicKey(secret),
        relays,
        seal: openSeal({ keys, secret }),
        sign,
        async say(template) {
          const event = sign(template)
          const { accepted, acks } = await relays.publish(event)
          if (accepted === 0) throw new Error(`the relay refused a stranger's event: ${JSON.stringify(acks)}`)
          return event
        },
        hear: onEvent => relays.listen([{ since: seconds(clock) - 5 }], { onEvent }).live,
      }
    },
    async outage() {
      await relay.close()
      return async () => {
        relay = await start(port)
      }
    },
    async close() {
      for (const relays of open) await relays.close()
      await relay.close()
    },
  }
}
