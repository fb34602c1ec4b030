/**
 * One client of the embedded relay: what it may still send, who it proved to be, what it listens to, and how much of
 * what it was told it has not read yet.
 * @module
 */
import type { Clock } from '../../src/clock.ts'
import type { ServerSocket } from '../socket.ts'
import type { Limits } from './limits.ts'
import type { Row } from './query.ts'
import type { Subscription } from './subscriptions.ts'

/** Unsent bytes above which stored events wait for the reader. */
const PAUSE_BYTES = 1024 * 1024

export interface Connection {
  readonly challenge: string
  /** Host that the client asked for, lower case, as its AUTH must name it. */
  readonly host: string
  /** Pubkeys proven by NIP-42. */
  readonly authors: Set<string>
  readonly subscriptions: Map<string, Live>
  /** Values of all filters in `subscriptions`. */
  filterValues: number
  /** Takes a token; false when the client is too fast. */
  admit(): boolean
  /** Takes tokens for work that was done, into debt if need be, so that dear questions slow their asker only. */
  charge(tokens: number): void
  /** Sends, or drops a client that reads too slowly. */
  send(text: string): void
  /** Sends stored rows as fast as they are read, then `done`. False when too many rows already wait. */
  stream(live: Live, rows: readonly Row[], text: (n: number) => string | undefined, done: () => void): boolean
  drop(): void
}

export interface Live extends Subscription<Connection> {
  /** JSON start of each EVENT message of this subscription. */
  readonly prefix: string
  readonly values: number
  closed: boolean
}

export interface ConnectionOptions {
  readonly socket: ServerSocket
  readonly host: string
  readonly challenge: string
  readonly limits: Limits
  readonly clock: Clock
}

/** Wraps an accepted socket. */
export function openConnection({ socket, host, challenge, limits, clock }: ConnectionOptions): Connection {
  let tokens = limits.messagesBurst
  let filled = clock.now()
  let waiting = 0

  return {
    challenge,
    host,
    authors: new Set(),
    subscriptions: new Map(),
    filterValues: 0,
    admit() {
      const now = clock.now()
      tokens = Math.min(limits.messagesBurst, tokens + (Math.max(0, now - filled) / 1000) * limits.messagesPerSecond)
      filled = now
      if (tokens < 1) return false
      tokens--
      return true
    },
    charge(cost) {
      tokens = Math.max(-limits.messagesBurst, tokens - cost)
    },
    send(text) {
      if (socket.readyState !== socket.OPEN) return
      if (socket.bufferedAmount > limits.unsentBytes) return socket.terminate()
      socket.send(text)
    },
    stream(live, rows, text, done) {
      if (waiting + rows.length > limits.unsentRows) return false
      waiting += rows.length
      let next = 0
      const go = () => {
        while (next < rows.length && !live.closed && socket.readyState === socket.OPEN) {
          const row = rows[next++]
          waiting--
          const json = row && text(row.n)
          if (json === undefined) continue
          const message = `${live.prefix}${json}]`
          if (socket.bufferedAmount > PAUSE_BYTES) return void socket.send(message, error => error ?? go())
          socket.send(message)
        }
        waiting -= rows.length - next
        next = rows.length
        if (!live.closed) done()
      }
      go()
      return true
    },
    drop: () => socket.terminate(),
  }
}
