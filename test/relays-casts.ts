/**
 * Every driver of the relays room with the settings that tests give it.
 * @module
 */
import { startRelay } from '../relays/embedded/relay.ts'
import { memoryHub } from '../relays/memory.ts'
import { openNdk } from '../relays/ndk.ts'
import { openPool } from '../relays/pool.ts'
import type { PoolLimits } from '../relays/pool-limits.ts'
import type { Relays } from '../relays/relay.ts'
import { openRelayPool } from '../relays/relaypool.ts'
import { wallClock } from '../src/clock.ts'
import { openKeys } from '../src/keys.ts'
import type { Cast, StageRelay } from './suites/relays-stage.ts'

/** The pool's waits, shortened so that an outage is over in milliseconds. */
export const QUICK: Partial<PoolLimits> = {
  connectMs: 1_000,
  eoseMs: 2_000,
  publishMs: 1_500,
  keepMs: 5_000,
  pingMs: 300,
  pongMs: 300,
  backoffMs: [10, 60],
}

const clock = wallClock()

export const poolCast: Cast = {
  patienceMs: 4_000,
  open: (urls, admit) => openPool({ urls, clock, admit, limits: QUICK }),
}

/** Its timers cannot be shortened: "not within 3 s" is what the findings say, not "never". */
export const ndkCast: Cast = {
  patienceMs: 3_000,
  open: (urls, admit) => openNdk({ urls, clock, admit, limits: { connectMs: 300, eoseMs: 2_000, publishMs: 3_000 } }),
}

/** Comes back after its fixed 2 s. */
export const relaypoolCast: Cast = {
  patienceMs: 3_500,
  open: (urls, admit) => openRelayPool({ urls, clock, admit, limits: { eoseMs: 2_000, publishMs: 3_000 } }),
}

/** One hub of this process. */
export function memoryCast(): Cast {
  const hubs = new Map<string, ReturnType<typeof memoryHub>>()
  return {
    patienceMs: 2_000,
    open(urls, admit) {
      const hub = hubs.get(urls[0] ?? '')
      if (!hub) throw new Error('no such hub')
      return hub.connect({ admit })
    },
    async relay(down): Promise<StageRelay> {
      const hub = memoryHub({ clock })
      const url = `ws://memory/${hubs.size}`
      hubs.set(url, hub)
      if (down) hub.down()
      const publisher = hub.connect()
      let isDown = down
      return {
        url,
        offer: event => {
          const sent = publisher.publish(event)
          return isDown ? undefined : sent.then(() => {})
        },
        async stop() {
          isDown = true
          hub.down()
        },
        async start() {
          isDown = false
          hub.up()
        },
        end: () => publisher.close(),
      }
    },
  }
}

/** The pool over the relay that we start ourselves. */
export const embeddedCast: Cast = {
  ...poolCast,
  async relay(down): Promise<StageRelay> {
    const { verify } = await openKeys()
    // In memory: what it stored before an outage is gone, what is offered during one waits for the start.
    const begin = (port = 0) => startRelay({ clock, verify, port, limits: { aheadSeconds: 20 * 365 * 86_400 } })
    const first = await begin()
    const { port, url } = first
    let running: typeof first | undefined = first
    let publisher: Relays | undefined
    const waiting: Parameters<StageRelay['offer']>[0][] = []
    const offer: StageRelay['offer'] = async event => {
      if (!running) return void waiting.push(event)
      publisher ??= openPool({ urls: [url], clock, admit: () => undefined, limits: QUICK })
      await publisher.publish(event)
    }
    const stop = async () => {
      await running?.close()
      running = undefined
    }
    if (down) await stop()
    return {
      url,
      offer,
      stop,
      async start() {
        running = await begin(port)
        for (const event of waiting.splice(0)) await offer(event)
      },
      async end() {
        await publisher?.close()
        await stop()
      },
    }
  },
}
