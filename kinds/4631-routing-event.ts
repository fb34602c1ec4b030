/**
 * Kind 4631: a router names candidates for a job, and everything that its choice rests on.
 * @module
 */
import { bad, dialects, good } from './4631-samples.ts'
import { defineKind, ok, present } from './define.ts'
import { maybe, one, some } from './fields.ts'
import { parseEvent, parseJson } from './json.ts'
import type { Event } from './kind.ts'
import { type Routed, routed } from './routed.ts'
import { hex, type Value } from './values.ts'

/** A routing event. */
export interface Routing extends Routed {
  /** The request for quotes. */
  readonly request: string
  /** Who asked. */
  readonly to: string
  /** The request itself, as read: its shape is checked, its signature is not. */
  readonly asked?: Event
}

const limits = { chars: 65_536, depth: 6, nodes: 4_096 }
const LONGEST_REQUEST = 24_576
/** What relays take, with room for author, id and signature. */
const MOST_BYTES = 60_000

const embedded: Value<Event> = {
  form: '<request as JSON>',
  read: ([said = '']) => (said.length > LONGEST_REQUEST ? undefined : parseEvent(said)),
  write: ({ id, pubkey, created_at, kind, tags, content, sig }) => [
    JSON.stringify({ id, pubkey, created_at, kind, tags, content, sig }),
  ],
}

const spelled = (value: Routed): string =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part))

/** Routing event (regular kind 4631). */
export const routing = defineKind({
  number: 4631,
  name: 'routing event',
  says: 'A router answers a request for quotes with candidates, best first, or refuses. The request, the sample it drew from, the seed and every factor are in it, so that anybody can decide again and compare.',
  source: 'gridstr',
  fields: {
    request: one('e', hex('<request id>'), 'The request for quotes (26803).', 'Exactly one request is named.'),
    named: some(
      'p',
      hex('<pubkey>'),
      'Who asked, then every candidate as in the content.',
      'Who asked and at most 6 candidates are named by 64 lower-case hex digits.',
      7,
    ),
    asked: maybe(
      'request',
      embedded,
      'The signed request as JSON, for requests are ephemeral.',
      'The embedded request is the JSON of one event within 24,576 characters.',
    ),
  },
  content:
    'JSON object: `policy`, `params`, `lane` (`proven`, `exploration`, `bootstrap`), `at`, `seq`, `prev`, `seed`, `commit`, `median`, `start`, `sample` [{`node`, `msats`, `score`, `inflight`, `firstMs?`, `own?` (true), `K?`, `L?`}], `candidates` [{`node`, `service`, `model?`, `msats` (string), `terms`, `score`, `factors` {`R`, `V`, `Q`, `T`, `K`, `L`}, `stage`, `log`, `announcement`, `quote?`, `firm`, `quoteExpiresAt?`, `firstMs?`, `p95FirstMs?`, `rttMs?`, `reasons`, `via?`}], `refusal?` {`code`, `says`}, `refused` {code: count}, `fee?` {`msats` (string), `bolt11?`}, `via`.',
  rules: {
    content:
      'The content is a JSON object of this shape, with at most 64 sampled, 6 candidates, 32 codes and 16 used events.',
    candidates: 'After who asked, `p` names each candidate of the content once, in its order.',
    refusal: 'A refusal names no candidates; without one there is at least one.',
    about: 'The embedded request is the one that `e` names, signed by who asked.',
  },
  alt: 'Routing of a job',
  read({ request, named, asked }, { content, refuse }) {
    const decision = routed(parseJson(content, limits))
    if (decision === undefined) return refuse('content')
    const [to = '', ...others] = named
    const nodes = decision.candidates.map(({ node }) => node)
    if (new Set(nodes).size !== nodes.length || others.join() !== nodes.join()) return refuse('candidates')
    if ((decision.refusal !== undefined) !== (nodes.length === 0)) return refuse('refusal')
    if (asked && (asked.id !== request || asked.pubkey !== to)) return refuse('about')
    return ok(present({ request, to, asked, ...decision }))
  },
  write({ request, to, asked, ...decision }: Routing) {
    const named = [to, ...decision.candidates.map(({ node }) => node)]
    const content = spelled(decision)
    const bytes = new TextEncoder().encode(JSON.stringify([asked && embedded.write(asked), named, content])).length
    if (bytes > MOST_BYTES) throw new TypeError(`4631.content: relays take ${MOST_BYTES} bytes, these are ${bytes}.`)
    return { fields: { request, named, asked }, content }
  },
  good,
  dialects,
  bad,
})
