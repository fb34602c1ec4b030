/**
 * A Nostr relay in this process: NIP-01, 09, 11, 40, 42, 45, 70 over `ws` and SQLite, with every limit explicit.
 * @module
 */
import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { Event } from '../../kinds/kind.ts'
import { type Clock, seconds, wallClock } from '../../src/clock.ts'
import { type ServerSocket, WebSocketServer } from '../socket.ts'
import { openConnection } from './connection.ts'
import { createInformationServer, information } from './information.ts'
import { DEFAULT_LIMITS, FILE_LIMITS, type Limits } from './limits.ts'
import { openProtocol } from './protocol.ts'
import { openStore } from './store.ts'

export { DEFAULT_LIMITS, type Limits } from './limits.ts'

export interface RelayOptions {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: any free port. */
  readonly port?: number
  /** Database file. Absent: in memory, gone with the relay. */
  readonly db?: string
  readonly clock: Clock
  /** True when id and signature of a fresh plain object are its author's. */
  verify(event: Event): boolean
  readonly limits?: Partial<Limits>
  /** Kinds served only to their author and those they name in a `p` tag, after NIP-42. Default none. */
  readonly authToRead?: readonly number[]
  readonly name?: string
  /** Told of what an operator must know: a disk that refuses, a bug. Default: a process warning. */
  onError?(says: string): void
}

export interface EmbeddedRelay {
  readonly url: string
  readonly port: number
  stats(): { connections: number; subscriptions: number; stored: number; accepted: number; refused: number }
  /** Ends all connections and closes the store. Idempotent. */
  close(): Promise<void>
}

/** Starts a relay. Rejects when the port is taken or the database cannot be opened. */
export async function startRelay(options: RelayOptions): Promise<EmbeddedRelay> {
  const { clock, host = '127.0.0.1', authToRead = [] } = options
  const limits: Limits = { ...(options.db === undefined ? DEFAULT_LIMITS : FILE_LIMITS), ...options.limits }
  const onError = options.onError ?? ((says: string) => process.emitWarning(says))
  const store = openStore({ file: options.db, maxEvents: limits.storedEvents, maxBytes: limits.storedBytes })
  const protocol = openProtocol({
    store,
    clock,
    limits,
    verify: event => options.verify(event),
    authToRead: new Set(authToRead),
    onError,
  })
  const http = createInformationServer(information(options.name ?? 'gridstr', limits, authToRead))
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.messageBytes,
    perMessageDeflate: false,
    clientTracking: false,
  })
  const alive = new Map<ServerSocket, boolean>()
  const perAddress = new Map<string, number>()

  const accept = (socket: ServerSocket, address: string, requestedHost: string) => {
    alive.set(socket, true)
    perAddress.set(address, (perAddress.get(address) ?? 0) + 1)
    const connection = openConnection({
      socket,
      host: requestedHost,
      challenge: randomBytes(16).toString('hex'),
      limits,
      clock,
    })
    socket.on('error', () => {})
    socket.on('pong', () => alive.set(socket, true))
    socket.on('close', () => {
      alive.delete(socket)
      const left = (perAddress.get(address) ?? 1) - 1
      if (left > 0) perAddress.set(address, left)
      else perAddress.delete(address)
      protocol.closed(connection)
    })
    socket.on('message', (data, isBinary) => {
      if (socket.readyState !== socket.OPEN) return
      alive.set(socket, true)
      if (isBinary) return socket.close(1003, 'text only')
      try {
        protocol.message(connection, data.toString())
      } catch (error) {
        onError(`embedded relay failed on a message: ${error instanceof Error ? error.stack : String(error)}`)
        socket.close(1011, 'error: internal')
      }
    })
    protocol.opened(connection)
  }

  http.maxConnections = limits.connections + 64
  http.on('upgrade', (request, raw, head) => {
    raw.on('error', () => {})
    const address = request.socket.remoteAddress ?? ''
    if (alive.size >= limits.connections || (perAddress.get(address) ?? 0) >= limits.connectionsPerAddress)
      return void raw.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n')
    const requestedHost = (request.headers.host ?? '').toLowerCase()
    sockets.handleUpgrade(request, raw, head, socket => accept(socket, address, requestedHost))
  })

  try {
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject)
      http.listen(options.port ?? 0, host, resolve)
    })
  } catch (error) {
    store.close()
    throw error
  }
  http.on('error', error => onError(`embedded relay: ${error.message}`))
  const { port } = http.address() as AddressInfo

  // Whether a peer still answers is a matter of the real network, so a clock in the hand does not end connections.
  const stopPing = every(wallClock({ keepAlive: false }), limits.pingSeconds, () => {
    for (const [socket, heard] of alive) {
      if (!heard) socket.terminate()
      else if (socket.readyState === socket.OPEN) socket.ping()
      alive.set(socket, false)
    }
  })
  const stopReaping = every(clock, limits.reapSeconds, () => {
    try {
      store.reap(seconds(clock))
    } catch (error) {
      onError(`embedded relay could not remove expired events: ${String(error)}`)
    }
  })

  let closing: Promise<void> | undefined
  const close = async () => {
    stopPing()
    stopReaping()
    protocol.flush()
    for (const socket of [...alive.keys()]) socket.terminate()
    http.closeAllConnections()
    await new Promise<void>(resolve => http.close(() => resolve()))
    store.close()
  }

  return {
    url: `ws://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    stats: () => {
      const { accepted, refused, subscriptions } = protocol.counts
      return { connections: alive.size, subscriptions, stored: store.count, accepted, refused }
    },
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

/** Runs again and again until the returned function is called. */
function every(clock: Clock, intervalSeconds: number, run: () => void): () => void {
  let cancel = () => {}
  const again = () => {
    cancel = clock.after(intervalSeconds * 1000, () => {
      again()
      run()
    })
  }
  again()
  return () => cancel()
}
