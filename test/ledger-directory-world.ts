/** Events for the tests of the directory: shaped like signed ones, made from plain values. */
import {
  type Announcement,
  type Benchmark,
  benchmark,
  type Event,
  feedback,
  handler,
  heartbeat,
  nodeState,
  type Template,
  textResult,
} from '../kinds/index.ts'
import { sha256Hex } from '../src/hash.ts'
import type { Entry } from '../src/ledger/index.ts'

/** When all of it happens, unix seconds. */
export const T = 1_800_000_000

/** A public key of a small number. */
export const key = (at: number): string => at.toString(16).padStart(64, '0')

/** A template as if `author` had signed it. */
export const by = (author: string, template: Template): Event => ({
  ...template,
  pubkey: author,
  id: sha256Hex(JSON.stringify([author, template])),
  sig: '0'.repeat(128),
})

export const announces = (node: string, at: number, said: Partial<Announcement> = {}): Event =>
  by(
    node,
    handler.write(
      {
        ...{ id: 'text', kinds: [5050], topics: [], name: 'N', about: '', encrypted: true, priceMsats: 1_000n },
        ...{ models: [{ name: 'nano', contextTokens: 512 }], nodeKeys: [], zappers: [], custodial: false },
        ...{ relays: [], v: 1, ...said },
      },
      at,
    ),
  )

export const beats = (node: string, at: number, expiresAt = at + 300, service = 'text'): Event =>
  by(node, heartbeat.write({ service, status: '', expiresAt, text: '' }, at))

export const leases = (
  node: string,
  at: number,
  generation: number,
  said: { until?: number; busy?: number; kinds?: number[]; service?: string } = {},
): Event =>
  by(
    node,
    nodeState.write(
      {
        ...{ service: said.service ?? 'text', kinds: said.kinds ?? [5050], prices: [], generation },
        ...{ slots: { total: 4, busy: said.busy ?? 0, queued: 0 }, expiresAt: said.until ?? at + 180 },
      },
      at,
    ),
  )

export const measures = (author: string, node: string, at: number, said: Partial<Benchmark> = {}): Event =>
  by(
    author,
    benchmark.write(
      {
        ...{ node, kind: 5050, model: 'nano', profile: 'chat-64', firstMs: 40, tokensPerSecond: 30 },
        ...{ samples: 8, at, ...said },
      },
      at,
    ),
  )

export const says = (node: string, at: number): Event =>
  by(node, feedback.write({ job: key(9), status: 'processing', says: '', content: '' }, at))

export const answers = (node: string, at: number): Event =>
  by(node, textResult.write({ job: key(9), customer: key(8), text: 'x' }, at))

/** All that can be asked, in one order. */
export const view = (entries: Iterable<Entry>): Entry[] =>
  [...entries].sort((a, b) => (a.announcementId < b.announcementId ? -1 : 1))
