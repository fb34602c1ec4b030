import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Event } from '../kinds/kind.ts'
import { fromHex, toHex } from '../src/hash.ts'
import { type Engine, type Keys, openKeys } from '../src/keys.ts'

const lines = (file: string) =>
  readFileSync(new URL(`vectors/${file}`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { id_ok: boolean; sig_ok: boolean; event: Event })

async function opened(engine: Engine): Promise<Keys | undefined> {
  try {
    return await openKeys(engine)
  } catch (error) {
    console.warn(`SKIPPED: ${(error as Error).message}`)
    return undefined
  }
}

const native = await opened('libsecp256k1')
const engines: [Engine, Keys | undefined][] = [
  ['libsecp256k1', native],
  ['nostr-wasm', await openKeys('nostr-wasm')],
  ['plain', await openKeys('plain')],
]
const present = engines.flatMap(([, keys]) => (keys ? [keys] : []))
const template = {
  kind: 1,
  created_at: 1_700_000_000,
  tags: [['p', 'ab'.repeat(32), 'x'], []],
  content: 'a "quoted"\n📎',
}
const secret = fromHex('b7e151628aed2a6abf7158809cf4f3c762e7160f38b4da56a784d9045190cfef')

/** BIP-340 vectors 0 to 3 (`sk`) as they concern public keys, which every engine can be asked for. */
const pairs = [
  [
    '0000000000000000000000000000000000000000000000000000000000000003',
    'f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9',
  ],
  [
    'b7e151628aed2a6abf7158809cf4f3c762e7160f38b4da56a784d9045190cfef',
    'dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659',
  ],
  [
    'c90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b14e5c9',
    'dd308afec5777e13121fa72b9cc1b7cc0139715309b086c960e18fd969774eb8',
  ],
  [
    '0b432b2677937381aef05bb02a66ecd012773062cf3fa2549e44f58ed2401710',
    '25d1dff95105f5253c4022f628a996ad3a0d95fbf21d468a1b33f8c160d8f517',
  ],
] as const

describe.each(engines)('keys by %s', (engine, maybe) => {
  const run = test.skipIf(!maybe)
  const keys = maybe as Keys

  run('says which engine it is', () => expect(keys.engine).toBe(engine))

  run('derives the public keys of BIP-340', () => {
    for (const [sk, pk] of pairs) expect(keys.publicKey(fromHex(sk))).toBe(pk)
  })

  run('signs what it verifies, deeply frozen, equal to the template', () => {
    const event = keys.sign(template, secret)
    expect(keys.verify(event)).toBe(true)
    expect(event).toMatchObject(template)
    expect(event.pubkey).toBe(pairs[1][1])
    expect([event, event.tags, ...event.tags].every(Object.isFrozen)).toBe(true)
    expect(Object.keys(event).sort()).toEqual(['content', 'created_at', 'id', 'kind', 'pubkey', 'sig', 'tags'])
  })

  run('holds no tie to the template it signed', () => {
    const tags = [['t', 'one']]
    const event = keys.sign({ ...template, tags }, secret)
    tags[0]?.push('two')
    expect(event.tags).toEqual([['t', 'one']])
    expect(keys.verify(event)).toBe(true)
  })

  run('refuses every tampered field, also on a copy of a verified event', () => {
    const event = keys.sign(template, secret)
    expect(keys.verify(event)).toBe(true)
    const other = keys.sign({ ...template, content: 'x' }, keys.newSecret())
    const flip = (hex: string) => (hex.startsWith('0') ? '1' : '0') + hex.slice(1)
    const tampered: Event[] = [
      { ...event, content: 'x' },
      { ...event, created_at: event.created_at + 1 },
      { ...event, kind: 2 },
      { ...event, tags: [] },
      { ...event, tags: [...event.tags, []] },
      { ...event, id: flip(event.id) },
      { ...event, sig: flip(event.sig) },
      { ...event, sig: event.sig.slice(0, 64) + flip(event.sig.slice(64)) },
      { ...event, pubkey: other.pubkey },
      { ...event, sig: other.sig },
      { ...event, id: other.id, sig: other.sig },
    ]
    for (const bad of tampered) expect(keys.verify(bad)).toBe(false)
    expect(keys.verify(event)).toBe(true)
  })

  run('verifies all real DVM events', () => {
    const all = lines('dvm-real-events.jsonl')
    expect(all.length).toBe(131)
    for (const { event } of all) expect(keys.verify(event)).toBe(true)
  })

  run('judges the examples of the NIPs as they are', () => {
    for (const { event, id_ok, sig_ok } of lines('nips-example-events.jsonl'))
      expect([event.id, keys.verify(event)]).toEqual([event.id, id_ok && sig_ok])
  })

  run('signs and verifies an event larger than the memory of the wasm engine', () => {
    const event = keys.sign({ ...template, content: '€'.repeat(700_000) }, secret)
    expect(keys.verify(event)).toBe(true)
    expect(keys.verify({ ...event, content: `${event.content.slice(1)}x` })).toBe(false)
  })

  run('makes secrets that differ and are keys', () => {
    const [a, b] = [keys.newSecret(), keys.newSecret()]
    expect(toHex(a)).not.toBe(toHex(b))
    expect(keys.publicKey(a)).toMatch(/^[0-9a-f]{64}$/)
  })

  run('refuses secrets and public keys out of range by an error', () => {
    const order = fromHex('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141')
    for (const bad of [new Uint8Array(32), order, new Uint8Array(32).fill(255), new Uint8Array(31).fill(1)]) {
      expect(() => keys.sign(template, bad)).toThrow(TypeError)
      expect(() => keys.publicKey(bad)).toThrow(TypeError)
      expect(() => keys.shared(bad, pairs[0][1])).toThrow(TypeError)
    }
    const offCurve = 'eefdea4cdb677750a420fee807eacf21eb9898ae79b9768766e4faa04a2d4a34'
    for (const bad of [offCurve, 'f'.repeat(64), '00'.repeat(32), 'zz', pairs[0][1].toUpperCase()])
      expect(() => keys.shared(secret, bad)).toThrow(RangeError)
    order[31] = 0x40
    expect(keys.publicKey(order)).toBe('79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
  })
})

describe('engines among themselves', () => {
  test('each verifies what any other signed, and all share the same point', () => {
    const words = fc.record({
      kind: fc.integer({ min: 0, max: 65_535 }),
      created_at: fc.integer({ min: 0, max: 2 ** 40 }),
      tags: fc.array(fc.array(fc.string({ unit: 'binary' }), { maxLength: 4 }), { maxLength: 4 }),
      content: fc.string({ unit: 'binary', maxLength: 300 }),
    })
    fc.assert(
      fc.property(words, given => {
        const mine = present.map(keys => keys.newSecret())
        for (const [i, signer] of present.entries()) {
          const event = signer.sign(given, mine[i] as Uint8Array)
          for (const verifier of present) expect(verifier.verify(JSON.parse(JSON.stringify(event)))).toBe(true)
        }
        const peer = present[0]?.publicKey(mine[0] as Uint8Array) ?? ''
        const points = present.map(keys => toHex(keys.shared(secret, peer)))
        expect(new Set(points).size).toBe(1)
      }),
      { numRuns: 25 },
    )
  })

  test('the fastest that is present is chosen', async () => {
    expect((await openKeys()).engine).toBe(native ? 'libsecp256k1' : 'nostr-wasm')
  })

  test('an engine that is unknown or absent is an error that says the way out', async () => {
    await expect(openKeys('gpu' as Engine)).rejects.toThrow(/libsecp256k1, nostr-wasm or plain/)
  })
})
