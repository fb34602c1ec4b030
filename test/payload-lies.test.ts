/** Payloads of liars and chunks of strangers: what they cost a reader, and that they never count. */
import { describe, expect, test } from 'vitest'
import { chunk, type Event, type Manifest, manifest } from '../kinds/index.ts'
import type { Relays } from '../relays/relay.ts'
import { handClock } from '../src/clock.ts'
import { sha256Hex } from '../src/hash.ts'
import type { Keys } from '../src/keys.ts'
import { cut } from '../src/payload/cut.ts'
import { type Fetched, openPayloads } from '../src/payload/index.ts'
import { openSeal } from '../src/seal.ts'
import { clock, expiresAt, noise, payloadWorld, quick } from './payload-world.ts'

const at = expiresAt - 3_600
const most = { mostBytes: 1_000_000 }

/** Counts what costs the reader something. */
const counted = (keys: Keys) => {
  const count = { verified: 0 }
  return {
    count,
    keys: { ...keys, verify: (event: Event) => ++count.verified > 0 && keys.verify(event) },
  }
}

/** A relay that brings whatever it likes to every question, and says then that this was all. */
function liar(events: readonly Event[]): Relays {
  return {
    urls: ['ws://liar'],
    publish: async () => ({ accepted: 0, enough: false, acks: [] }),
    listen(_, { admit, onEvent, onEose, once }) {
      queueMicrotask(() => {
        for (const raw of events) {
          const event = admit?.(raw, 'ws://liar')
          if (event) onEvent(event, 'ws://liar')
        }
        if (once) onEose?.()
      })
      return { live: Promise.resolve(), close() {} }
    },
    state: () => [],
    close: async () => {},
  }
}

async function stage() {
  const { keys } = await payloadWorld()
  const secret = keys.newSecret()
  const bytes = noise(640)
  const whole = cut(bytes, { keys, secret, type: 'x', at, expiresAt, chunkBytes: 64 })
  const chunks = Array.from({ length: 10 }, (_, index) => whole.chunk(index))
  const { payload } = whole.value
  const piece = (index: number, data: Uint8Array, by = secret) =>
    keys.sign(chunk.write({ payload, index, data: Buffer.from(data).toString('base64') }, at), by)
  const read = async (events: readonly Event[], id = whole.manifest.id) => {
    const { keys: reader, count } = counted(keys)
    const payloads = openPayloads({ relays: liar(events), keys: reader, clock, limits: quick })
    const got: Fetched = await payloads.get(id, { ...most, stallMs: 60 })
    return { got, verified: count.verified }
  }
  return { keys, secret, bytes, whole, chunks, piece, read }
}

describe('a reader takes what was declared and not a byte more', () => {
  test('ten times as much as was declared: further places and longer pieces are not even verified', async () => {
    const { bytes, whole, chunks, piece, read } = await stage()
    const beyond = Array.from({ length: 90 }, (_, index) => piece(10 + index, noise(64, index + 1)))
    const longer = Array.from({ length: 10 }, (_, index) => piece(index, noise(640, index + 1)))
    const { got, verified } = await read([whole.manifest, ...beyond, ...longer, ...chunks])
    expect(got).toEqual({ ok: true, bytes })
    expect(verified).toBe(1 + 10)
  })

  test('a piece that is a byte too long in as much base64 does not spill into the next place', async () => {
    const { bytes, whole, chunks, piece, read } = await stage()
    const { got } = await read([whole.manifest, piece(4, noise(65, 9)), ...chunks])
    expect(got).toEqual({ ok: true, bytes })
  })

  test('repeated, from the last to the first', async () => {
    const { bytes, whole, chunks, read } = await stage()
    const { got, verified } = await read([whole.manifest, ...chunks.toReversed(), ...chunks, ...chunks])
    expect(got).toEqual({ ok: true, bytes })
    expect(verified).toBe(1 + 10)
  })

  test('chunks that others sign for the same places, and such as nobody signed', async () => {
    const { keys, bytes, whole, chunks, piece, read } = await stage()
    const strangers = Array.from({ length: 50 }, (_, n) => piece(n % 10, noise(64, n + 1), keys.newSecret()))
    const forged = chunks.map(event => ({ ...event, content: Buffer.from(noise(64, 3)).toString('base64') }))
    const { got, verified } = await read([whole.manifest, ...strangers, ...forged, ...chunks])
    expect(got).toEqual({ ok: true, bytes })
    expect(verified).toBe(1 + 10 + 10)
  })
})

describe('a liar costs bounded work and gets a refusal', () => {
  test('chunks that are not what the manifest says', async () => {
    const { whole, chunks, piece, read } = await stage()
    const { got } = await read([whole.manifest, piece(4, noise(64, 99)), ...chunks])
    expect(got).toMatchObject({
      ok: false,
      rule: 'payload.digest',
      says: expect.stringContaining('put the payload again'),
    })
  })

  test('a name that is not that of its bytes under the salt', async () => {
    const { keys, secret, whole, bytes } = await stage()
    const reader = keys.newSecret()
    const seal = openSeal({ keys, secret })
    const to = keys.publicKey(reader)
    const value: Manifest = { ...whole.value, to, salt: '01'.repeat(32) }
    const encrypt = (text: string) => seal.encrypt(to, text)
    const named = keys.sign(manifest.write(value, at, encrypt), secret)
    const pieces = Array.from({ length: 10 }, (_, index) =>
      keys.sign(
        chunk.write(
          {
            payload: value.payload,
            index,
            data: Buffer.from(bytes.subarray(index * 64, index * 64 + 64)).toString('base64'),
          },
          at,
          encrypt,
        ),
        secret,
      ),
    )
    const payloads = openPayloads({ relays: liar([named, ...pieces]), keys, clock, limits: quick })
    const got = await payloads.get(named.id, { ...most, decrypt: openSeal({ keys, secret: reader }).decrypt })
    expect(got).toMatchObject({ ok: false, rule: 'payload.digest' })
  })

  test('sealed pieces that nobody can open: given up after as many as there should be and 64 more', async () => {
    const { keys } = await payloadWorld()
    const [secret, reader] = [keys.newSecret(), keys.newSecret()]
    const to = keys.publicKey(reader)
    const whole = cut(noise(640), { keys, secret, to, type: 'x', at, expiresAt, chunkBytes: 64 })
    const junk = Array.from({ length: 400 }, (_, n) => {
      const good = whole.chunk(n % 10)
      const { kind, tags, content } = good
      return keys.sign({ kind, tags, created_at: at - n, content: `AAAA${content.slice(4)}` }, secret)
    })
    const { keys: counting, count } = counted(keys)
    const payloads = openPayloads({ relays: liar([whole.manifest, ...junk]), keys: counting, clock, limits: quick })
    const decrypt = openSeal({ keys, secret: reader }).decrypt
    expect(await payloads.get(whole.manifest.id, { ...most, decrypt })).toMatchObject({
      ok: false,
      rule: 'payload.chunks',
    })
    expect(count.verified).toBeLessThanOrEqual(1 + 10 + 64 + 1)
  })

  test('a manifest exchanged for another of the same author, or signed by nobody', async () => {
    const { keys, secret, whole, read } = await stage()
    const other = cut(noise(64, 5), { keys, secret, type: 'x', at, expiresAt, chunkBytes: 64 })
    const twin = { ...whole.manifest, content: whole.manifest.content.replace('"x"', '"y"') }
    const payloads = openPayloads({ relays: liar([other.manifest, twin]), keys, clock, limits: quick })
    const found = await payloads.look(whole.manifest.id, { ...most, timeMs: 30 })
    expect(found).toMatchObject({ ok: false, rule: 'payload.manifest' })
    expect((await read([other.manifest, other.chunk(0)], other.manifest.id)).got).toMatchObject({ ok: true })
  })

  test('a public manifest that claims to speak for somebody', async () => {
    const { keys, secret, whole } = await stage()
    const owner = keys.publicKey(keys.newSecret())
    const claims = keys.sign(manifest.write({ ...whole.value, owner }, at), secret)
    const payloads = openPayloads({ relays: liar([claims]), keys, clock, limits: quick })
    expect(await payloads.look(claims.id, { ...most, author: owner })).toMatchObject({ rule: 'payload.author' })
    expect(await payloads.look(claims.id, { ...most, author: keys.publicKey(secret) })).toMatchObject({ ok: true })
  })

  test('an event of another kind under that id', async () => {
    const { keys, secret, read } = await stage()
    const note = keys.sign({ kind: 1, created_at: at, tags: [], content: 'hello' }, secret)
    expect((await read([note], note.id)).got).toMatchObject({ ok: false, rule: 'kind' })
  })

  test('a gigabyte that is declared is refused before a question is asked for it', async () => {
    const { keys, secret } = await stage()
    const value: Manifest = {
      ...{ payload: sha256Hex('x'), bytes: 30_720 * 100_000, sha256: sha256Hex('x'), chunks: 100_000 },
      ...{ chunkBytes: 30_720, type: 'x' },
    }
    const event = keys.sign(manifest.write(value, at), secret)
    let questions = 0
    const relays = liar([event])
    const payloads = openPayloads({
      relays: {
        ...relays,
        listen(...asked) {
          questions++
          return relays.listen(...asked)
        },
      },
      ...{ keys, clock, limits: quick },
    })
    expect(await payloads.get(event.id, most)).toMatchObject({ ok: false, rule: 'payload.size' })
    expect(questions).toBe(1)
  })
})

test('chunks that never come end the fetch after the longest wait, and say how many', async () => {
  const time = handClock(at * 1000)
  const { person, keys, hub } = await payloadWorld(time)
  const secret = keys.newSecret()
  const whole = cut(noise(640), { keys, secret, type: 'x', at, expiresAt, chunkBytes: 64 })
  const sender = hub.connect()
  for (const event of [whole.manifest, ...[0, 1, 2, 5, 6, 7, 9].map(whole.chunk)]) void sender.publish(event)
  await time.advance(10)
  const got = person().payloads.get(whole.manifest.id, { ...most, stallMs: 30_000 })
  let isOver = false
  void got.then(() => {
    isOver = true
  })
  await time.advance(29_000)
  expect(isOver).toBe(false)
  await time.advance(3_000)
  expect(await got).toMatchObject({ ok: false, rule: 'payload.missing', says: expect.stringContaining('3 of 10') })
})

test('places that nobody has do not keep the others from coming', async () => {
  const time = handClock(at * 1000)
  const { person, keys, hub } = await payloadWorld(time, { ...quick, page: 2 })
  const secret = keys.newSecret()
  const whole = cut(noise(640), { keys, secret, type: 'x', at, expiresAt, chunkBytes: 64 })
  const sender = hub.connect()
  for (const event of [whole.manifest, ...[4, 5, 6, 7, 8, 9].map(whole.chunk)]) void sender.publish(event)
  await time.advance(10)
  const got = person().payloads.get(whole.manifest.id, { ...most, stallMs: 5_000 })
  await time.advance(60_000)
  expect(await got).toMatchObject({ rule: 'payload.missing', says: expect.stringContaining('4 of 10') })
})
