/**
 * Relays that break a promise on purpose: a proxy before a good relay that bends what passes in either direction.
 * @module
 */
import type { AddressInfo } from 'node:net'
import { Socket, WebSocketServer } from '../relays/socket.ts'

type Words = unknown[]

/** Returns what passes on: the words themselves, others, or nothing; a relay may say several things for one. */
export interface Fault {
  asked?(words: Words, answer: (words: Words) => void): Words | undefined
  told?(words: Words): Words[]
}

export interface BrokenRelay {
  readonly url: string
  close(): Promise<void>
}

/** Starts a proxy; `fault` is made anew for each connection. */
export async function startBroken(url: string, fault: () => Fault): Promise<BrokenRelay> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await new Promise(resolve => server.once('listening', resolve))
  server.on('connection', client => {
    const upstream = new Socket(url)
    const { asked, told } = fault()
    const queue: string[] = []
    upstream.on('open', () => {
      for (const text of queue.splice(0)) upstream.send(text)
    })
    client.on('message', data => {
      const words = parse(data.toString())
      const answer = (bent: Words) => client.send(JSON.stringify(bent))
      const passed = words && asked ? asked(words, answer) : words
      if (!passed) return
      const text = JSON.stringify(passed)
      if (upstream.readyState === upstream.OPEN) upstream.send(text)
      else queue.push(text)
    })
    upstream.on('message', data => {
      const words = JSON.parse(data.toString()) as Words
      for (const passed of told ? told(words) : [words]) client.send(JSON.stringify(passed))
    })
    client.on('close', () => upstream.terminate())
    upstream.on('close', () => client.terminate())
  })
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const client of server.clients) client.terminate()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

function parse(text: string): Words | undefined {
  try {
    return JSON.parse(text) as Words
  } catch {
    return undefined
  }
}

const withoutTags = (filter: unknown): unknown =>
  Object.fromEntries(Object.entries(filter as object).filter(([key]) => !key.startsWith('#')))

const withoutLimit = (filter: unknown): unknown =>
  Object.fromEntries(Object.entries(filter as object).filter(([key]) => key !== 'limit'))

const ofReq = (words: Words, change: (filter: unknown) => unknown): Words =>
  words[0] === 'REQ' ? [words[0], words[1], ...words.slice(2).map(change)] : words

/** Every fault with the rows that must notice it. */
export const faults: readonly { name: string; fault: () => Fault; noticedBy: readonly string[] }[] = [
  {
    name: 'matches no tags',
    fault: () => ({ asked: words => ofReq(words, withoutTags) }),
    noticedBy: [
      'NIP-01 by #p',
      'NIP-01 by #e',
      'NIP-01 three tag conditions must all hold',
      'NIP-01 live: #p keeps from it what names another',
      'NIP-01 live: #e keeps from it what names another',
    ],
  },
  {
    name: 'ignores limit',
    fault: () => ({ asked: words => ofReq(words, withoutLimit) }),
    noticedBy: ['NIP-01 limit brings the newest', 'NIP-01 limit 0 brings none'],
  },
  {
    name: 'says OK in three elements',
    fault: () => ({ told: words => [words[0] === 'OK' ? words.slice(0, 3) : words] }),
    noticedBy: ['NIP-01 EVENT is answered by OK with four elements'],
  },
  {
    name: 'says OK true to everything',
    fault: () => ({ told: words => [words[0] === 'OK' ? ['OK', words[1], true, ''] : words] }),
    noticedBy: [
      'NIP-01 a wrong signature is refused with invalid:',
      'NIP-01 a duplicate gets OK true with duplicate:',
      'NIP-70 a protected event is refused without authentication',
    ],
  },
  {
    name: 'never ends the stored events',
    fault: () => ({ told: words => (words[0] === 'EOSE' ? [] : [words]) }),
    noticedBy: ['NIP-01 by ids', 'NIP-01 live: a new event reaches a standing subscription'],
  },
  {
    name: 'brings stored events oldest first',
    fault() {
      const held: Words[] = []
      return {
        told(words) {
          if (words[0] === 'EVENT') held.push(words)
          return words[0] === 'EOSE' ? [...held.splice(0).reverse(), words] : words[0] === 'EVENT' ? [] : [words]
        },
      }
    },
    noticedBy: ['NIP-01 REQ brings stored events, newest first, then EOSE', 'NIP-01 limit brings the newest'],
  },
  {
    name: 'remembers an id before it verified',
    fault() {
      const seen = new Set<unknown>()
      return {
        asked(words, answer) {
          const id = words[0] === 'EVENT' ? (words[1] as { id?: unknown } | null)?.id : undefined
          if (id === undefined || !seen.has(id)) {
            seen.add(id)
            return words
          }
          answer(['OK', id, true, 'duplicate: seen'])
          return undefined
        },
      }
    },
    noticedBy: ['NIP-01 a twin with a bad signature does not shut out the genuine event'],
  },
  {
    name: 'swallows deletions',
    fault: () => ({
      asked(words, answer) {
        const event = words[0] === 'EVENT' ? (words[1] as { id: string; kind: number } | null) : null
        if (event?.kind !== 5) return words
        answer(['OK', event.id, true, ''])
        return undefined
      },
    }),
    noticedBy: [
      'NIP-09 e: the author deletes an event',
      'NIP-09 a: deletes the version that is older than the request',
      'NIP-09 the request itself is stored and sent on',
      'NIP-09 what was deleted cannot return',
    ],
  },
  {
    name: 'forgets to end a subscription',
    fault: () => ({ asked: words => (words[0] === 'CLOSE' ? undefined : words) }),
    noticedBy: ['NIP-01 CLOSE ends a subscription'],
  },
  {
    name: 'closes nothing, whatever the filter',
    fault: () => ({ told: words => [words[0] === 'CLOSED' ? ['NOTICE', words[2]] : words] }),
    noticedBy: [
      'NIP-01 a filter with a prefix for an id is answered by CLOSED',
      'NIP-45 COUNT with a bad filter is answered by CLOSED',
    ],
  },
]
