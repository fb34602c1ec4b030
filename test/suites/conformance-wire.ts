/**
 * A raw client for the conformance rows: sends any words, keeps every word that came back, waits without sleeping.
 * @module
 */
import { finalizeEvent, generateSecretKey, getPublicKey } from 'nostr-tools/pure'
import type { Event } from '../../kinds/kind.ts'
import { Socket } from '../../relays/socket.ts'
import { type Clock, wallClock } from '../../src/clock.ts'

export type Words = readonly unknown[]

export interface Wire {
  /** All messages so far, oldest first. */
  readonly heard: readonly Words[]
  raw(text: string): void
  send(...words: unknown[]): void
  /** The first message, from the first ever heard on, for which `test` holds; rejects when patience ends or the socket closes. */
  until(what: string, test: (words: Words) => boolean): Promise<Words>
  /** Publishes and resolves with the OK message. */
  publish(event: unknown): Promise<Words>
  /** Opens a subscription and resolves at EOSE; rejects on CLOSED. */
  subscribe(id: string, ...filters: unknown[]): Promise<void>
  /** Events that came for a subscription. */
  events(id: string): Event[]
  /** Stored events in order of arrival, by a subscription of its own that is closed again. */
  query(...filters: unknown[]): Promise<Event[]>
  close(): void
}

export interface Author {
  readonly pubkey: string
  sign(template: { kind: number; created_at: number; tags?: string[][]; content?: string }): Event
}

/** A new key. Events are JSON round-tripped, so that they carry no cached verdict. */
export function newAuthor(): Author {
  const secret = generateSecretKey()
  return {
    pubkey: getPublicKey(secret),
    sign: ({ tags = [], content = '', ...rest }) =>
      JSON.parse(JSON.stringify(finalizeEvent({ ...rest, tags, content }, secret))) as Event,
  }
}

let queries = 0

/** Connects; rejects when the relay cannot be reached within `patienceMs`. */
export async function openWire(url: string, patienceMs: number, clock: Clock = wallClock()): Promise<Wire> {
  const socket = new Socket(url)
  const heard: Words[] = []
  const waiting = new Set<{
    test: (words: Words) => boolean
    resolve: (words: Words) => void
    reject: (e: Error) => void
  }>()
  socket.on('message', data => {
    const words = JSON.parse(data.toString()) as Words
    heard.push(words)
    for (const one of waiting) {
      if (!one.test(words)) continue
      waiting.delete(one)
      one.resolve(words)
    }
  })
  socket.on('close', () => {
    for (const one of waiting) one.reject(new Error('connection closed'))
    waiting.clear()
  })
  await new Promise<void>((resolve, reject) => {
    const cancel = clock.after(patienceMs, () => reject(new Error('no connection')))
    socket.once('open', () => {
      cancel()
      resolve()
    })
    socket.once('error', reject)
  })

  const wire: Wire = {
    heard,
    raw: text => socket.send(text),
    send: (...words) => socket.send(JSON.stringify(words)),
    until(what, test) {
      const known = heard.find(test)
      if (known) return Promise.resolve(known)
      if (socket.readyState !== socket.OPEN) return Promise.reject(new Error(`no ${what}: connection closed`))
      return new Promise((resolve, reject) => {
        const entry = {
          test,
          resolve(words: Words) {
            cancel()
            resolve(words)
          },
          reject(error: Error) {
            cancel()
            reject(new Error(`no ${what}: ${error.message}`))
          },
        }
        const cancel = clock.after(patienceMs, () => {
          waiting.delete(entry)
          reject(new Error(`no ${what} within ${patienceMs} ms`))
        })
        waiting.add(entry)
      })
    },
    publish(event) {
      const { id } = event as { id: string }
      const before = heard.length
      wire.send('EVENT', event)
      return wire.until('OK', words => words[0] === 'OK' && words[1] === id && heard.indexOf(words) >= before)
    },
    async subscribe(id, ...filters) {
      const before = heard.length
      wire.send('REQ', id, ...filters)
      const end = await wire.until(
        'EOSE',
        words => (words[0] === 'EOSE' || words[0] === 'CLOSED') && words[1] === id && heard.indexOf(words) >= before,
      )
      if (end[0] === 'CLOSED') throw new Error(`closed: ${String(end[2])}`)
    },
    events: id => heard.filter(words => words[0] === 'EVENT' && words[1] === id).map(words => words[2] as Event),
    async query(...filters) {
      const id = `query-${queries++}`
      await wire.subscribe(id, ...filters)
      wire.send('CLOSE', id)
      return wire.events(id)
    },
    close: () => socket.terminate(),
  }
  return wire
}
