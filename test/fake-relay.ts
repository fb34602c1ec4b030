/**
 * A relay for tests that is honest until told to lie: hangs, forges, floods, drops, closes, forgets its EOSE.
 * @module
 */
import { createServer as createHttpServer, type IncomingMessage } from 'node:http'
import { createServer, type Server, type Socket as TcpSocket } from 'node:net'
import type { Event } from '../kinds/kind.ts'
import { matches } from '../relays/embedded/matching.ts'
import type { Filter } from '../relays/relay.ts'
import { type ServerSocket, WebSocketServer } from '../relays/socket.ts'

export interface Behaviour {
  /** False: never ends the stored events. */
  eose: boolean
  /** False: sends everything to everybody. */
  filters: boolean
  /** What it answers to an EVENT; `undefined` is silence. */
  ok: (event: Event) => [ok: boolean, says: string] | undefined
  /** Answers this REQ with CLOSED and these words. */
  closes: (filters: Filter[], authed: boolean) => string | undefined
  /** Told of an AUTH, which it accepts. */
  onAuth: () => void
  /** Sent as soon as somebody connects. */
  greeting: string[]
  /** Reads nothing and answers nothing, pings included. */
  hangs: boolean
}

export interface FakeRelay {
  readonly url: string
  readonly behave: Behaviour
  /** What it would answer a REQ with. */
  readonly stored: Event[]
  readonly connections: number
  /** Connections ever made. */
  readonly accepted: number
  /** Every message of every client, parsed, in order. */
  readonly heard: unknown[][]
  /** The filters of every REQ. */
  readonly asked: Filter[][]
  /** Stores the event and sends it to whoever asked for it. */
  offer(event: Event): void
  /** Sends raw text to every client. */
  say(text: string): void
  /** Sends an EVENT under the sub id of every open REQ, whatever its filters. */
  push(event: unknown): void
  /** Resolves when the condition holds; looked at after every message and connection. */
  until(condition: () => boolean): Promise<void>
  /** `abrupt`: the TCP connections break. `graceful`: close code 1001. Whoever connects before `start` is cut off. */
  stop(how?: 'abrupt' | 'graceful'): Promise<void>
  start(): Promise<void>
  /** Ends every open REQ with CLOSED and these words. */
  cancel(says: string): void
  /** Every connection of now goes dead: nothing is read, not even a ping, and nothing closes. */
  freeze(): void
  /** Resolves when somebody was cut off since the last `stop`. */
  refused(): Promise<void>
  /** Stops for good and gives the port back. */
  end(): Promise<void>
}

interface Client {
  readonly socket: ServerSocket
  readonly tcp: TcpSocket
  readonly subs: Map<string, Filter[]>
  authed: boolean
}

const honest = (): Behaviour => ({
  eose: true,
  filters: true,
  ok: () => [true, ''],
  closes: () => undefined,
  onAuth: () => {},
  greeting: [],
  hangs: false,
})

/** Starts on a free port of 127.0.0.1, or not at all with `down: true`; `start` is then the first time. */
export async function fakeRelay(options: { down?: boolean } & Partial<Behaviour> = {}): Promise<FakeRelay> {
  const { down = false, ...given } = options
  const behave: Behaviour = { ...honest(), ...given }
  const clients = new Set<Client>()
  const stored: Event[] = []
  const heard: unknown[][] = []
  const asked: Filter[][] = []
  const waiting = new Set<() => void>()
  let accepted = 0
  let isUp = !down
  let refusals = 0

  const look = () => {
    for (const check of [...waiting]) check()
  }
  const send = (client: Client, ...frame: unknown[]) => client.socket.send(JSON.stringify(frame), () => {})

  const offer = (event: Event) => {
    stored.push(event)
    for (const client of clients)
      for (const [sub, filters] of client.subs)
        if (!behave.filters || matches(filters, event)) send(client, 'EVENT', sub, event)
  }

  const answer = (client: Client, frame: unknown[]) => {
    const [type, first, ...rest] = frame
    if (type === 'REQ' && typeof first === 'string') {
      const filters = rest as Filter[]
      asked.push(filters)
      const says = behave.closes(filters, client.authed)
      if (says !== undefined) return send(client, 'CLOSED', first, says)
      client.subs.set(first, filters)
      const limit = Math.min(...filters.map(filter => filter.limit ?? 500))
      const found = stored.filter(event => !behave.filters || matches(filters, event))
      found.sort((a, b) => b.created_at - a.created_at)
      for (const event of found.slice(0, limit)) send(client, 'EVENT', first, event)
      if (behave.eose) send(client, 'EOSE', first)
    } else if (type === 'CLOSE' && typeof first === 'string') client.subs.delete(first)
    else if (type === 'EVENT') {
      const event = first as Event
      const said = behave.ok(event)
      if (said?.[0] !== false && !stored.some(other => other.id === event.id)) offer(event)
      if (said) send(client, 'OK', event.id, ...said)
    } else if (type === 'AUTH') {
      client.authed = true
      behave.onAuth()
      send(client, 'OK', (first as Event).id, true, '')
    }
  }

  const until = (condition: () => boolean) =>
    new Promise<void>(resolve => {
      const check = () => {
        if (!condition()) return
        waiting.delete(check)
        resolve()
      }
      waiting.add(check)
      check()
    })

  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  sockets.on('connection', (socket: ServerSocket, request: IncomingMessage) => {
    accepted++
    const client: Client = { socket, tcp: request.socket, subs: new Map(), authed: false }
    clients.add(client)
    socket.on('error', () => {})
    socket.on('close', () => {
      clients.delete(client)
      look()
    })
    socket.on('message', data => {
      if (behave.hangs) return
      const frame = JSON.parse(String(data)) as unknown[]
      heard.push(frame)
      answer(client, frame)
      look()
    })
    if (behave.hangs) socket.pause()
    for (const text of behave.greeting) socket.send(text)
    look()
  })
  const http = createHttpServer()
  http.on('upgrade', (request, socket, head) => {
    if (!isUp) socket.destroy()
    else sockets.handleUpgrade(request, socket, head, made => sockets.emit('connection', made, request))
  })
  // The port is held for the whole life, or another test could get it during an outage.
  const server = createServer(socket => {
    socket.on('error', () => {})
    if (isUp) return http.emit('connection', socket)
    socket.destroy()
    refusals++
    return look()
  })
  await listen(server, 0)
  const port = portOf(server)

  const stop = async (how: 'abrupt' | 'graceful' = 'abrupt') => {
    isUp = false
    refusals = 0
    for (const client of [...clients]) {
      if (how === 'graceful' && !behave.hangs && !client.tcp.isPaused()) client.socket.close(1001, 'going away')
      else client.tcp.destroy()
    }
    await until(() => clients.size === 0)
  }

  return {
    url: `ws://127.0.0.1:${port}`,
    behave,
    stored,
    heard,
    asked,
    get connections() {
      return clients.size
    },
    get accepted() {
      return accepted
    },
    offer,
    say(text) {
      for (const client of clients) client.socket.send(text, () => {})
    },
    push(event) {
      for (const client of clients) for (const sub of client.subs.keys()) send(client, 'EVENT', sub, event)
    },
    until,
    stop,
    async start() {
      isUp = true
    },
    cancel(says) {
      for (const client of clients) {
        for (const sub of client.subs.keys()) send(client, 'CLOSED', sub, says)
        client.subs.clear()
      }
    },
    freeze() {
      for (const { tcp } of clients) tcp.pause()
    },
    refused: () => until(() => refusals > 0),
    async end() {
      await stop()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** A port that accepts TCP and never says a word: the upgrade hangs. */
export async function muteServer(): Promise<{ url: string; close(): Promise<void> }> {
  const sockets = new Set<TcpSocket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  await listen(server, 0)
  return {
    url: `ws://127.0.0.1:${portOf(server)}`,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

const listen = (server: Server, port: number) =>
  new Promise<void>(resolve => server.listen(port, '127.0.0.1', () => resolve()))

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('server has no port')
  return address.port
}
