/** Whatever the bytes, and however often, in whatever order and beside whatever else their chunks come. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Event, Template } from '../kinds/index.ts'
import { sha256Hex } from '../src/hash.ts'
import { openKeys } from '../src/keys.ts'
import { fromBase64, toBase64 } from '../src/payload/base64.ts'
import { cut } from '../src/payload/cut.ts'
import { openPuzzle } from '../src/payload/puzzle.ts'
import { openSeal } from '../src/seal.ts'
import { expiresAt, payloadWorld, quick } from './payload-world.ts'

const at = expiresAt - 3_600
const keys = await openKeys()
const [secret, reader] = [keys.newSecret(), keys.newSecret()]
const me = keys.publicKey(secret)
/** Ids without signatures: a puzzle looks at neither. */
const light = {
  ...keys,
  sign: (template: Template): Event => ({ ...template, id: sha256Hex(JSON.stringify(template)), pubkey: me, sig: '' }),
}
const seal = openSeal({ keys, secret: reader })
const bytesOf = fc.uint8Array({ minLength: 1, maxLength: 400 })
const sizes = fc.integer({ min: 1, max: 80 })

describe('chunks', () => {
  test('of any bytes make the same bytes, in any order, with repetitions, losses that are made up for and chunks of others', () => {
    const to = keys.publicKey(reader)
    fc.assert(
      fc.property(
        bytesOf,
        sizes,
        fc.boolean(),
        fc.array(fc.nat(), { maxLength: 40 }),
        (bytes, chunkBytes, sealed, order) => {
          const options = { keys: light, secret, type: 'x', at, expiresAt, chunkBytes, ...(sealed ? { to } : {}) }
          const { value, chunk } = cut(bytes, options)
          const other = cut(Uint8Array.of(...bytes, 0), options)
          const puzzle = openPuzzle({ value, signer: me, decrypt: sealed ? seal.decrypt : undefined })
          const filled = new Set<number>()
          for (const turn of order) {
            const index = turn % value.chunks
            const event = chunk(index)
            const foreign = other.chunk(index)
            expect(puzzle.wants(foreign)).toBe(false)
            expect(puzzle.wants(event)).toBe(!filled.has(index))
            expect(puzzle.add(event)).toBe(!filled.has(index))
            filled.add(index)
            expect(puzzle.done).toBe(filled.size)
          }
          const start = order[0] ?? 0
          const missing = puzzle.missing(start % value.chunks, value.chunks)
          expect([...missing].sort((a, b) => a - b)).toEqual(
            Array.from({ length: value.chunks }, (_, index) => index).filter(index => !filled.has(index)),
          )
          expect(puzzle.missing(0, 3)).toEqual([...missing].sort((a, b) => a - b).slice(0, 3))
          for (const index of missing) expect(puzzle.add(chunk(index))).toBe(true)
          expect(puzzle).toMatchObject({ done: value.chunks, bytes: bytes.length, wrong: 0 })
          expect(puzzle.whole).toEqual(Uint8Array.from(bytes))
        },
      ),
      { numRuns: 1_000 },
    )
  })

  test('are the same events each time, and others for another reader, time, key or bytes', () => {
    const to = keys.publicKey(reader)
    fc.assert(
      fc.property(bytesOf, sizes, fc.nat(), (bytes, chunkBytes, turn) => {
        const options = { keys: light, secret, to, type: 'x', at, expiresAt, chunkBytes }
        const [one, two] = [cut(bytes, options), cut(bytes, options)]
        const index = turn % one.value.chunks
        expect(two.manifest.id).toBe(one.manifest.id)
        expect(two.chunk(index)).toEqual(one.chunk(index))
        const names = [
          one,
          cut(bytes, { ...options, to: me }),
          cut(bytes, { ...options, at: at + 1 }),
          cut(bytes, { ...options, expiresAt: expiresAt + 1 }),
          cut(bytes, { ...options, secret: reader }),
          cut(Uint8Array.of(...bytes, 1), options),
        ].map(({ value }) => value.payload)
        expect(new Set(names).size).toBe(names.length)
      }),
      { numRuns: 1_000 },
    )
  })
})

test('base64 gives back what it was given, and takes no other spelling', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.string({ maxLength: 20 }), (bytes, text) => {
      expect(fromBase64(toBase64(bytes))).toEqual(Uint8Array.from(bytes))
      const read = fromBase64(text)
      if (read) expect(toBase64(read)).toBe(text)
    }),
    { numRuns: 1_000 },
  )
})

test('over a relay that loses, repeats and reorders what is new, and falls now and then, everything comes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 3_000 }),
      fc.boolean(),
      fc.array(fc.nat({ max: 40 }), { maxLength: 2 }),
      fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
      async (bytes, early, falls, dice) => {
        const { person, hub } = await payloadWorld()
        hub.faults = { drop: 0.3, duplicate: 0.3, reorder: 0.3, reorderMs: 3, random: () => dice.next().value ?? 0 }
        const [sender, receiver] = [person(), person()]
        const how = { secret: sender.secret, to: receiver.pubkey, expiresAt, at }
        const fall = ({ done }: { done: number }) => {
          if (!falls.includes(done)) return
          hub.down()
          queueMicrotask(() => setImmediate(hub.up))
        }
        const putting = sender.payloads.put(bytes, { ...how, onProgress: fall })
        const id = early
          ? cut(bytes, { keys, ...how, type: 'application/octet-stream', chunkBytes: quick.chunkBytes ?? 0 }).manifest
              .id
          : await putting.then(put => (put.ok ? put.id : put.says))
        const got = await receiver.payloads.get(id, {
          mostBytes: 3_000,
          decrypt: receiver.seal.decrypt,
          onProgress: fall,
        })
        expect(got).toEqual({ ok: true, bytes: Uint8Array.from(bytes) })
        expect(await putting).toMatchObject({ ok: true, id })
      },
    ),
    { numRuns: 40 },
  )
})
