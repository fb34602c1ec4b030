/**
 * One connection to one relay, from opening to its end, over nostr-tools' `AbstractRelay`. What that class does not
 * guard is guarded here: shape and size of every message, speed, dead peers, and sends that come too late.
 * @module
 */
import { AbstractRelay } from 'nostr-tools/abstract-relay'
import { getHex64, getSubscriptionId } from 'nostr-tools/fakejson'
import type { Event } from '../kinds/kind.ts'
import type { Clock } from '../src/clock.ts'
import { openBucket } from './bucket.ts'
import { type Frame, readFrame } from './frames.ts'
import type { PoolLimits } from './pool-limits.ts'
import type { Filter } from './relay.ts'
import { Socket } from './socket.ts'

export interface ConnectionOptions {
  readonly url: string
  readonly clock: Clock
  readonly limits: PoolLimits
  onOpen(): void
  /** Exactly once, also when it never opened. */
  onEnd(reason: string): void
  /** True when the event need not be read at all: its id was admitted before. */
  isSeen(sub: string, id: string): boolean
  /** Returns false when the event was of no use. */
  onEvent(sub: string, event: Event): boolean
  onEose(sub: string): void
  onClosed(sub: string, says: string): void
  /** OK, NOTICE, AUTH. */
  onFrame(frame: Frame): void
  /** A message that is none, too long, or for nobody. */
  onJunk(): void
}

export interface Connection {
  /** Clock time of the last message or pong. */
  readonly heardMs: number
  /** Dropped silently when the connection is not open. */
  send(text: string): void
  request(sub: string, filters: readonly Filter[]): void
  /** Ends one REQ without a word back. */
  release(sub: string): void
  /** Hangs up. Resolves when the socket is gone. */
  close(): Promise<void>
}

/** Tokens that a message costs which nobody has a use for: forged, off-filter, malformed. */
const USELESS = 50
const GRACE_MS = 250

type ToolsFilters = Parameters<AbstractRelay['prepareSubscription']>[0]

/** Starts connecting at once. */
export function openConnection(options: ConnectionOptions): Connection {
  const { clock, limits } = options
  let socket: Socket | undefined
  let heardMs = clock.now()
  let ended = false
  let paused = false
  const cancels = new Set<() => void>()

  const after = (ms: number, run: () => void) => {
    const cancel = clock.after(ms, () => {
      cancels.delete(cancel)
      run()
    })
    cancels.add(cancel)
  }

  const end = (reason: string) => {
    if (ended) return
    ended = true
    for (const cancel of cancels) cancel()
    cancels.clear()
    socket?.terminate()
    options.onEnd(reason)
  }

  const chars = openBucket(clock, limits.charsPerSecond, limits.charsBurst)
  const messages = openBucket(clock, limits.messagesPerSecond, limits.messagesBurst)
  const charge = (length: number, cost: number) => {
    const wait = Math.max(chars.take(length), messages.take(cost))
    if (wait === 0 || paused || ended) return
    paused = true
    socket?.pause()
    after(wait, () => {
      paused = false
      heardMs = clock.now()
      socket?.resume()
    })
  }

  const junk = () => {
    charge(0, USELESS)
    options.onJunk()
  }

  const read = (text: unknown) => {
    if (ended) return
    heardMs = clock.now()
    if (typeof text !== 'string') return junk()
    charge(text.length, 1)
    if (text.length > limits.messageChars) return junk()
    const sub = getSubscriptionId(text)
    if (sub && options.isSeen(sub, getHex64(text, 'id'))) return
    const frame = readFrame(text)
    if (!frame) return junk()
    if (frame.type === 'EVENT') {
      if (!options.onEvent(frame.sub, frame.event)) charge(0, USELESS)
    } else if (frame.type === 'EOSE' || frame.type === 'CLOSED') {
      const open = relay.openSubs.get(frame.sub)
      if (!open) return junk()
      if (frame.type === 'EOSE') return open.receivedEose()
      open.closed = true
      open.close(frame.says)
    } else options.onFrame(frame)
  }

  class Guarded extends AbstractRelay {
    override _onmessage(message: { data: unknown }): void {
      read(message.data)
    }
    override async send(text: string): Promise<void> {
      if (socket?.readyState !== Socket.OPEN) return
      socket.send(text, () => {})
      if (socket.bufferedAmount > limits.unsentBytes) end('does not read what we send')
    }
  }

  class Kept extends Socket {
    constructor(address: string | URL) {
      super(address)
      socket = this
      this.on('pong', () => {
        heardMs = clock.now()
      })
    }
  }

  const relay = new Guarded(options.url, { verifyEvent: () => true, websocketImplementation: asBrowserSocket(Kept) })
  relay.onclose = () => end('connection closed')

  const watch = () =>
    after(limits.pingMs, () => {
      if (!paused && clock.now() - heardMs >= limits.pingMs) {
        const asked = clock.now()
        socket?.ping(undefined, undefined, () => {})
        after(limits.pongMs, () => {
          if (heardMs < asked && !paused) end('does not answer a ping')
        })
      }
      watch()
    })

  after(limits.connectMs, () => {
    if (!relay.connected) end('no connection in time')
  })
  relay.connect().then(
    () => {
      if (ended) return
      heardMs = clock.now()
      watch()
      options.onOpen()
    },
    (reason: unknown) => end(String(reason)),
  )

  return {
    get heardMs() {
      return heardMs
    },
    send: text => void relay.send(text),
    request(sub, filters) {
      relay.prepareSubscription(filters as ToolsFilters, {
        id: sub,
        oneose: () => options.onEose(sub),
        onclose: says => {
          if (relay.connected && !ended) options.onClosed(sub, says)
        },
      })
      void relay.send(`["REQ",${JSON.stringify(sub)},${JSON.stringify(filters).slice(1)}`)
    },
    release(sub) {
      const open = relay.openSubs.get(sub)
      if (!open) return
      open.onclose = undefined
      open.close()
    },
    async close() {
      const last = socket
      if (!last || last.readyState === Socket.CLOSED) return end('closed by us')
      await new Promise<void>(resolve => {
        const cancel = clock.after(GRACE_MS, () => {
          last.terminate()
          resolve()
        })
        last.once('close', () => {
          cancel()
          resolve()
        })
        if (last.readyState === Socket.OPEN && !paused) last.close(1000)
        else last.terminate()
      })
      end('closed by us')
    },
  }
}

/** nostr-tools asks for the browser's constructor type; `ws` has all of it that is used. */
function asBrowserSocket(socket: unknown): typeof WebSocket {
  return socket as typeof WebSocket
}
