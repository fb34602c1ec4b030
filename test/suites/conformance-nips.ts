/**
 * Conformance rows: deletion, information, expiry, authentication, counting and protected events.
 * @module
 */
import { deepEqual, equal, match } from 'node:assert/strict'
import type { Event } from '../../kinds/kind.ts'
import type { Row, World } from './conformance.ts'
import type { Author, Wire, Words } from './conformance-wire.ts'

const refused = (ok: Words, prefix: RegExp) => {
  equal(ok[2], false, 'accepted')
  match(String(ok[3]), prefix)
}
const accepted = (ok: Words) => equal(ok[2], true, `refused: ${String(ok[3])}`)

interface Scene {
  readonly wire: Wire
  readonly author: Author
  readonly now: number
  kept(event: Event): Promise<boolean>
}

async function scene(world: World): Promise<Scene> {
  const wire = await world.connect()
  return {
    wire,
    author: world.author(),
    now: world.now(),
    kept: async event => (await wire.query({ ids: [event.id] })).length === 1,
  }
}

const row = (name: string, run: (scene: Scene, world: World) => Promise<void>): Row => ({
  name,
  run: async world => run(await scene(world), world),
})

const deletions: readonly Row[] = [
  row('NIP-09 e: the author deletes an event', async ({ wire, author, now, kept }) => {
    const event = author.sign({ kind: 1, created_at: now })
    accepted(await wire.publish(event))
    accepted(
      await wire.publish(
        author.sign({
          kind: 5,
          created_at: now,
          tags: [
            ['e', event.id],
            ['k', '1'],
          ],
        }),
      ),
    )
    equal(await kept(event), false, 'still there')
  }),
  row("NIP-09 e: nobody deletes another author's event", async ({ wire, author, now, kept }, world) => {
    const event = author.sign({ kind: 1, created_at: now })
    await wire.publish(event)
    await wire.publish(world.author().sign({ kind: 5, created_at: now, tags: [['e', event.id]] }))
    equal(await kept(event), true, 'gone')
  }),
  row('NIP-09 a: deletes the version that is older than the request', async ({ wire, author, now, kept }) => {
    const event = author.sign({ kind: 30_078, created_at: now - 5, tags: [['d', 'x']] })
    await wire.publish(event)
    const a = `30078:${author.pubkey}:x`
    accepted(await wire.publish(author.sign({ kind: 5, created_at: now, tags: [['a', a]] })))
    equal(await kept(event), false, 'still there')
    await wire.publish(author.sign({ kind: 30_078, created_at: now - 1, tags: [['d', 'x']] }))
    deepEqual(await wire.query({ authors: [author.pubkey], kinds: [30_078] }), [], 'a deleted version came back')
  }),
  row('NIP-09 a: leaves a version that is newer than the request', async ({ wire, author, now, kept }) => {
    const event = author.sign({ kind: 30_078, created_at: now, tags: [['d', 'x']] })
    await wire.publish(event)
    await wire.publish(author.sign({ kind: 5, created_at: now - 5, tags: [['a', `30078:${author.pubkey}:x`]] }))
    equal(await kept(event), true, 'gone')
  }),
  row("NIP-09 a: nobody deletes at another author's address", async ({ wire, author, now, kept }, world) => {
    const event = author.sign({ kind: 30_078, created_at: now - 5, tags: [['d', 'x']] })
    await wire.publish(event)
    await wire.publish(world.author().sign({ kind: 5, created_at: now, tags: [['a', `30078:${author.pubkey}:x`]] }))
    equal(await kept(event), true, 'gone')
  }),
  row('NIP-09 the request itself is stored and sent on', async ({ wire, author, now, kept }, world) => {
    const listener = await world.connect()
    await listener.subscribe('live', { authors: [author.pubkey], kinds: [5] })
    const request = author.sign({ kind: 5, created_at: now, tags: [['e', 'f'.repeat(64)]] })
    accepted(await wire.publish(request))
    await listener.until('the request', words => words[0] === 'EVENT' && (words[2] as Event).id === request.id)
    equal(await kept(request), true, 'not stored')
  }),
  row('NIP-09 what was deleted cannot return', async ({ wire, author, now, kept }) => {
    const event = author.sign({ kind: 1, created_at: now })
    await wire.publish(event)
    await wire.publish(author.sign({ kind: 5, created_at: now, tags: [['e', event.id]] }))
    await wire.publish(event)
    equal(await kept(event), false, 'it is back')
  }),
  row('NIP-09 a request that comes before its event holds', async ({ wire, author, now, kept }) => {
    const event = author.sign({ kind: 1, created_at: now })
    await wire.publish(author.sign({ kind: 5, created_at: now, tags: [['e', event.id]] }))
    await wire.publish(event)
    equal(await kept(event), false, 'it was stored')
  }),
  row('NIP-09 deleting a request has no effect', async ({ wire, author, now, kept }) => {
    const event = author.sign({ kind: 1, created_at: now })
    const request = author.sign({ kind: 5, created_at: now, tags: [['e', event.id]] })
    const undo = author.sign({ kind: 5, created_at: now, content: 'undo', tags: [['e', request.id]] })
    for (const one of [event, request, undo, event]) await wire.publish(one)
    equal(await kept(event), false, 'it is back')
    equal(await kept(request), true, 'the request is gone')
  }),
]

const expiry: readonly Row[] = [
  row('NIP-40 an expired event is refused', async ({ wire, author, now, kept }) => {
    const event = author.sign({ kind: 1, created_at: now - 9, tags: [['expiration', `${now - 1}`]] })
    equal((await wire.publish(event))[2], false, 'accepted')
    equal(await kept(event), false)
  }),
  row('NIP-40 an event is served until it expires, then hidden', async ({ wire, author, now, kept }, world) => {
    const event = author.sign({ kind: 1, created_at: now, tags: [['expiration', `${now + 2}`]] })
    accepted(await wire.publish(event))
    equal(await kept(event), true, 'hidden too early')
    await world.pass(3)
    equal(await kept(event), false, 'served after its time')
  }),
]

const challengeOf = async (wire: Wire) => String((await wire.until('AUTH', words => words[0] === 'AUTH'))[1])

async function authenticate(
  world: World,
  wire: Wire,
  author: Author,
  change: { challenge?: string; relay?: string; age?: number } = {},
) {
  const event = author.sign({
    kind: 22_242,
    created_at: world.now() - (change.age ?? 0),
    tags: [
      ['relay', change.relay ?? world.url],
      ['challenge', change.challenge ?? (await challengeOf(wire))],
    ],
  })
  wire.send('AUTH', event)
  return wire.until('OK', words => words[0] === 'OK' && words[1] === event.id)
}

const authentication: readonly Row[] = [
  row('NIP-42 AUTH with the challenge of this connection is accepted', async ({ wire, author }, world) => {
    accepted(await authenticate(world, wire, author))
  }),
  row('NIP-42 AUTH with another challenge is refused', async ({ wire, author }, world) => {
    refused(await authenticate(world, wire, author, { challenge: 'guess' }), /^\w+: /)
  }),
  row('NIP-42 AUTH meant for another relay is refused', async ({ wire, author }, world) => {
    refused(await authenticate(world, wire, author, { relay: 'wss://other.example' }), /^\w+: /)
  }),
  row('NIP-42 AUTH of an hour ago is refused', async ({ wire, author }, world) => {
    refused(await authenticate(world, wire, author, { age: 3600 }), /^\w+: /)
  }),
  row('NIP-42 an AUTH event is never sent on or stored', async ({ wire, author, kept, now }, world) => {
    const listener = await world.connect()
    await listener.subscribe('live', { authors: [author.pubkey] })
    const tags = [
      ['relay', world.url],
      ['challenge', await challengeOf(wire)],
    ]
    const auth = author.sign({ kind: 22_242, created_at: now, tags })
    wire.send('EVENT', auth)
    await authenticate(world, wire, author)
    const note = author.sign({ kind: 1, created_at: now })
    await wire.publish(note)
    await listener.until('note', words => words[0] === 'EVENT' && (words[2] as Event).id === note.id)
    deepEqual(listener.events('live'), [note])
    equal(await kept(auth), false)
  }),
]

const protectedNote = (author: Author, now: number) => author.sign({ kind: 1, created_at: now, tags: [['-']] })

const protection: readonly Row[] = [
  row('NIP-70 a protected event is refused without authentication', async ({ wire, author, now, kept }) => {
    const event = protectedNote(author, now)
    refused(await wire.publish(event), /^(auth-required|restricted|blocked): /)
    equal(await kept(event), false)
  }),
  row('NIP-70 a protected event is refused from another author', async ({ wire, author, now }, world) => {
    accepted(await authenticate(world, wire, world.author()))
    refused(await wire.publish(protectedNote(author, now)), /^(auth-required|restricted|blocked): /)
  }),
  row('NIP-70 a protected event is accepted from its author', async ({ wire, author, now, kept }, world) => {
    accepted(await authenticate(world, wire, author))
    const event = protectedNote(author, now)
    accepted(await wire.publish(event))
    equal(await kept(event), true)
  }),
  row('NIP-42 several keys may prove themselves on one connection', async ({ wire, author, now }, world) => {
    const other = world.author()
    accepted(await authenticate(world, wire, author))
    accepted(await authenticate(world, wire, other))
    for (const one of [author, other]) accepted(await wire.publish(protectedNote(one, now)))
  }),
]

const counting: readonly Row[] = [
  row('NIP-45 COUNT counts what REQ would find, each event once', async ({ wire, author, now }) => {
    for (const kind of [1, 1, 7])
      await wire.publish(author.sign({ kind, created_at: now, content: `${Math.random()}` }))
    wire.send('COUNT', 'count', { authors: [author.pubkey], kinds: [1] }, { authors: [author.pubkey] })
    const count = await wire.until('COUNT', words => words[0] === 'COUNT' && words[1] === 'count')
    equal((count[2] as { count: number }).count, 3)
  }),
  row('NIP-45 COUNT with a bad filter is answered by CLOSED', async ({ wire }) => {
    wire.send('COUNT', 'count', { kinds: 'all' })
    await wire.until('CLOSED', words => words[0] === 'CLOSED' && words[1] === 'count')
  }),
]

/** The NIP-11 document, asked as a client asks it. */
async function informationOf(url: string): Promise<Record<string, unknown>> {
  const response = await fetch(url.replace(/^ws/, 'http'), { headers: { accept: 'application/nostr+json' } })
  equal(response.status, 200)
  match(response.headers.get('content-type') ?? '', /application\/nostr\+json/)
  return (await response.json()) as Record<string, unknown>
}

const informing: readonly Row[] = [
  row('NIP-11 the relay tells its name, NIPs and limits on its own address', async (_, world) => {
    const document = await informationOf(world.url)
    equal(typeof document['name'], 'string')
    for (const nip of [1, 9, 11, 40])
      equal((document['supported_nips'] as number[]).includes(nip), true, `not NIP-${nip}`)
    equal(typeof document['limitation'], 'object')
  }),
  row('NIP-11 max_limit is what one filter brings at most', async ({ wire, author, now }, world) => {
    const { max_limit } = (await informationOf(world.url))['limitation'] as { max_limit: number }
    equal(Number.isInteger(max_limit) && max_limit > 0, true)
    if (max_limit > 50) return
    for (let i = 0; i <= max_limit; i++) await wire.publish(author.sign({ kind: 1, created_at: now - i }))
    equal((await wire.query({ authors: [author.pubkey], limit: max_limit + 1 })).length, max_limit)
  }),
  row('NIP-11 created_at_upper_limit is enforced', async ({ wire, author, now }, world) => {
    const limits = (await informationOf(world.url))['limitation'] as { created_at_upper_limit: number }
    const ahead = limits.created_at_upper_limit
    accepted(await wire.publish(author.sign({ kind: 1, created_at: now + ahead - 5 })))
    refused(await wire.publish(author.sign({ kind: 1, created_at: now + ahead + 60 })), /^invalid: /)
  }),
]

export const nipRows: readonly Row[] = [
  ...deletions,
  ...informing,
  ...expiry,
  ...authentication,
  ...counting,
  ...protection,
]
