/**
 * A WebSocket proxy between one party and a relay that understands what passes, and does to chosen events what relays
 * and networks do to events.
 * @module
 */
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import type { Clock } from '../../src/clock.ts'
import type { Fault, Planted, Way, Weather } from './faults.ts'
import { eventFrame, okFrame, type Passing, readPassing, tamper } from './frames.ts'

export interface ProxyOptions {
  /** Who stands behind it, for the record. */
  readonly party: string
  readonly relay: string
  readonly weather: Weather
  readonly clock: Clock
  /** Told of every frame and of every socket that opens or ends. */
  onMove?(): void
  /** The relay dies: whoever holds its proxies calls `kill` on all of them. Default: this one alone. */
  onDeath?(): void
}

/** One frame that passed, or should have. */
export interface Passed {
  readonly party: string
  readonly way: Way
  readonly text: string
  readonly kind?: number
  readonly fault?: Fault
}

export interface ChaosProxy {
  readonly url: string
  /** Everything that was seen, in order. */
  readonly passed: readonly Passed[]
  /** Subscriptions that are open now, of all sockets. */
  readonly subscriptions: number
  /** Connections accepted so far. */
  readonly connections: number
  /** Lets go of every frame that is held back. */
  release(): void
  /** Breaks every socket; new ones are accepted at once. */
  kill(): void
  close(): Promise<void>
}

/** When no other event comes to change places with. */
const REORDER_MS = 3_000

/** Listens on a free port of 127.0.0.1 and connects to `relay` for each party that comes. */
export async function openProxy(options: ProxyOptions): Promise<ChaosProxy> {
  const { party, weather, clock, onMove = () => {} } = options
  const passed: Passed[] = []
  const pairs = new Set<{ end(): void; subs: Set<string> }>()
  const held = new Set<() => void>()
  let connections = 0
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
  await new Promise<void>((resolve, reject) => server.once('listening', resolve).once('error', reject))

  const hold = (send: () => void, ms: number | undefined): (() => void) => {
    const go = () => {
      if (!held.delete(go)) return
      cancel()
      onMove()
      send()
    }
    held.add(go)
    const cancel = ms === undefined ? () => {} : clock.after(ms, go)
    return go
  }

  const kill = () => {
    for (const go of [...held]) held.delete(go)
    for (const pair of [...pairs]) pair.end()
  }

  server.on('connection', near => {
    connections++
    onMove()
    const far = new WebSocket(options.relay, { perMessageDeflate: false })
    const subs = new Set<string>()
    const waiting: string[] = []
    /** Ids whose OK is swallowed. */
    const mute = new Set<string>()
    const next: Record<Way, (() => void) | undefined> = { up: undefined, down: undefined }
    const pair = {
      subs,
      end() {
        pairs.delete(pair)
        onMove()
        near.terminate()
        far.terminate()
      },
    }
    pairs.add(pair)

    const send: Record<Way, (text: string) => void> = {
      up(text) {
        if (far.readyState === WebSocket.OPEN) far.send(text)
        else if (far.readyState === WebSocket.CONNECTING) waiting.push(text)
      },
      down(text) {
        if (near.readyState === WebSocket.OPEN) near.send(text)
      },
    }

    const onEvent = (frame: Extract<Passing, { label: 'EVENT' }>, text: string, way: Way) => {
      const planted = weather.at(frame.event.kind, way)
      const about = { party, way, kind: frame.event.kind }
      passed.push({ ...about, text, ...(planted ? { fault: planted.fault } : {}) })
      const before = next[way]
      next[way] = undefined
      if (planted) suffer(planted, frame, text, way)
      else send[way](text)
      before?.()
    }

    const suffer = (
      { fault, delayMs }: Planted,
      { event, sub }: Extract<Passing, { label: 'EVENT' }>,
      text: string,
      way: Way,
    ) => {
      const forward = send[way]
      switch (fault) {
        case 'drop':
          return
        case 'duplicate':
          forward(text)
          return forward(text)
        case 'delay':
          return void hold(() => forward(text), delayMs)
        case 'reorder':
          next[way] = hold(() => forward(text), delayMs ?? REORDER_MS)
          return
        case 'tamper':
          return forward(eventFrame(tamper(event, weather.random), sub))
        case 'lie-ok':
          if (way === 'up') send.down(okFrame(event.id, true, ''))
          return
        case 'swallow-ok':
          mute.add(event.id)
          return forward(text)
        case 'die':
          if (options.onDeath) options.onDeath()
          else kill()
      }
    }

    const pass = (text: string, way: Way) => {
      onMove()
      const frame = readPassing(text)
      if (frame.label === 'EVENT') return onEvent(frame, text, way)
      if (frame.label === 'REQ') subs.add(frame.sub)
      if (frame.label === 'CLOSE' || frame.label === 'CLOSED') subs.delete(frame.sub)
      passed.push({ party, way, text })
      if (frame.label === 'OK' && mute.delete(frame.id)) return
      send[way](text)
    }

    near.on('message', data => pass(String(data), 'up'))
    far.on('message', data => pass(String(data), 'down'))
    far.on('open', () => {
      onMove()
      for (const text of waiting.splice(0)) far.send(text)
    })
    for (const socket of [near, far]) {
      socket.on('error', () => {})
      socket.on('ping', onMove)
      socket.on('close', () => pair.end())
    }
  })

  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passed,
    get subscriptions() {
      return [...pairs].reduce((sum, { subs }) => sum + subs.size, 0)
    },
    get connections() {
      return connections
    },
    release() {
      for (const go of [...held]) go()
    },
    kill,
    async close() {
      kill()
      await new Promise<void>(resolve => server.close(() => resolve()))
    },
  }
}
