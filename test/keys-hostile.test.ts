import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { getEventHash } from 'nostr-tools/pure'
import { describe, expect, test } from 'vitest'
import type { Event, Template } from '../kinds/kind.ts'
import { openPlain } from '../src/keys/plain.ts'
import { eventId, openKeys } from '../src/keys.ts'

// What is refused here is refused before any curve is asked, so one engine stands for all.
const keys = await openKeys()
const secret = keys.newSecret()
const genuine = keys.sign({ kind: 1, created_at: 1_700_000_000, tags: [['t', 'a']], content: 'plain' }, secret)
const verify = (raw: unknown) => keys.verify(raw as Event)
const fresh = (): Record<string, unknown> => JSON.parse(JSON.stringify(genuine))

/** NIP-01 letter by letter, rare control characters as JSON needs them. */
function slowId(event: {
  pubkey: string
  created_at: number
  kind: number
  tags: string[][]
  content: string
}): string {
  const named = new Map([
    ['\n', '\\n'],
    ['"', '\\"'],
    ['\\', '\\\\'],
    ['\r', '\\r'],
    ['\t', '\\t'],
    ['\b', '\\b'],
    ['\f', '\\f'],
  ])
  const quoted = (text: string) => {
    let out = '"'
    for (const char of text) {
      const code = char.codePointAt(0) ?? 0
      out += named.get(char) ?? (code < 32 ? `\\u${code.toString(16).padStart(4, '0')}` : char)
    }
    return `${out}"`
  }
  const tags = event.tags.map(tag => `[${tag.map(quoted).join(',')}]`).join(',')
  const text = `[0,${quoted(event.pubkey)},${event.created_at},${event.kind},[${tags}],${quoted(event.content)}]`
  return createHash('sha256').update(Buffer.from(text, 'utf8')).digest('hex')
}

/** An event signed over what its fields are, fit or not. */
const signedAnyway = (template: Template, spell = (pubkey: string) => pubkey): Event =>
  openPlain().sign(secret, author => {
    const pubkey = spell(author)
    return { event: { ...template, pubkey, id: eventId({ ...template, pubkey }) }, chars: 0 }
  })

describe('event ids', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...'"\\\n\r\t\b\f\u0001\u001f\u007f\u2028/u') }),
  )
  const event = fc.record({
    pubkey: fc.stringMatching(/^[0-9a-f]{64}$/),
    created_at: fc.maxSafeNat(),
    kind: fc.integer({ min: 0, max: 65_535 }),
    tags: fc.array(fc.array(text, { maxLength: 4 }), { maxLength: 4 }),
    content: text,
  })

  test('equal a slow reading of NIP-01 and the id of nostr-tools', () => {
    fc.assert(
      fc.property(event, given => {
        expect(eventId(given)).toBe(slowId(given))
        expect(eventId(given)).toBe(getEventHash({ ...given }))
      }),
      { numRuns: 2000 },
    )
  })

  test('a half surrogate is neither signed nor verified, its escaped look-alike is', () => {
    const half = 'a\ud800b'
    const base = { kind: 1, created_at: 1, tags: [] }
    expect(() => keys.sign({ ...base, content: half }, secret)).toThrow(/surrogate/)
    expect(() => keys.sign({ ...base, tags: [['t', half]], content: '' }, secret)).toThrow(/surrogate/)
    expect(verify(signedAnyway({ ...base, content: 'whole' }))).toBe(true)
    expect(verify(signedAnyway({ ...base, content: half }))).toBe(false)
    expect(verify(signedAnyway({ ...base, tags: [['t', half]], content: '' }))).toBe(false)
    expect(verify(keys.sign({ ...base, content: 'a\\ud800b 🎈' }, secret))).toBe(true)
  })
})

describe('hostile shapes', () => {
  test('anything at all is refused without a throw', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withSparseArray: true, withBigInt: true }), raw => {
        expect(verify(raw)).toBe(false)
      }),
      { numRuns: 2000 },
    )
  })

  test('a genuine event with any one field replaced is refused', () => {
    const field = fc.constantFrom('id', 'pubkey', 'created_at', 'kind', 'tags', 'content', 'sig')
    const value = fc.oneof(
      fc.anything({ withBigInt: true, withSparseArray: true }),
      fc.string(),
      fc.double(),
      fc.bigInt(),
    )
    fc.assert(
      fc.property(field, value, (name, given) => {
        fc.pre(
          JSON.stringify([given], (_, v) => (typeof v === 'bigint' ? `${v}n` : v)) !== JSON.stringify([fresh()[name]]),
        )
        expect(verify({ ...fresh(), [name]: given })).toBe(false)
      }),
      { numRuns: 2000 },
    )
  })

  test.each([
    ['upper-case id', { id: genuine.id.toUpperCase().replace(/^\d/, 'A') }],
    ['upper-case signature', { sig: genuine.sig.toUpperCase() }],
    ['upper-case key', { pubkey: genuine.pubkey.toUpperCase() }],
    ['id with a line end', { id: `${genuine.id}\n` }],
    ['short signature', { sig: genuine.sig.slice(2) }],
    ['no hex', { sig: 'g'.repeat(128) }],
    ['kind as text', { kind: '1' }],
    ['kind with a fraction', { kind: 1.5 }],
    ['kind too large', { kind: 65_536 }],
    ['time before 1970', { created_at: -1 }],
    ['time without end', { created_at: Number.POSITIVE_INFINITY }],
    ['time too exact', { created_at: 2 ** 53 }],
    ['tags as object', { tags: { 0: ['t', 'a'], length: 1 } }],
    ['tag as text', { tags: ['ta'] }],
    ['tag with a number', { tags: [['t', 1]] }],
    ['tag with a string object', { tags: [['t', Object('a')]] }],
    ['content as object', { content: { toString: () => 'plain' } }],
    ['content null', { content: null }],
  ])('%s', (_name, change) => expect(verify({ ...fresh(), ...change })).toBe(false))

  test('a key in capitals, even where id and signature are made for it', () => {
    const template = { kind: 1, created_at: 1, tags: [], content: '' }
    expect(verify(signedAnyway(template))).toBe(true)
    expect(verify(signedAnyway(template, pubkey => pubkey.toUpperCase()))).toBe(false)
  })

  test('missing, inherited and computed fields', () => {
    for (const name of Object.keys(genuine)) {
      const missing = fresh()
      delete missing[name]
      expect(verify(missing)).toBe(false)
      expect(verify(Object.setPrototypeOf(missing, { [name]: genuine[name as keyof Event] }))).toBe(false)
      const computed = Object.defineProperty(fresh(), name, { get: () => genuine[name as keyof Event] })
      expect(verify(computed)).toBe(false)
      const angry = Object.defineProperty(fresh(), name, {
        get() {
          throw new Error('boo')
        },
      })
      expect(verify(angry)).toBe(false)
    }
    expect(verify(Object.create(genuine))).toBe(false)
  })

  test('proxies, in every place', () => {
    const angry: ProxyHandler<object> = {
      get() {
        throw new Error('boo')
      },
      getOwnPropertyDescriptor() {
        throw new Error('boo')
      },
    }
    expect(verify(new Proxy(fresh(), {}))).toBe(false)
    expect(verify(new Proxy(fresh(), angry))).toBe(false)
    expect(verify({ ...fresh(), tags: new Proxy([['t', 'a']], {}) })).toBe(false)
    expect(verify({ ...fresh(), tags: [new Proxy(['t', 'a'], angry)] })).toBe(false)
  })

  test('a toJSON that would lie to the hash is not asked', () => {
    const tags = Object.assign([['t', 'other']], { toJSON: () => [['t', 'a']] })
    expect(verify({ ...fresh(), tags })).toBe(false)
    const honest = Object.assign([['t', 'a']], { toJSON: () => [['t', 'other']] })
    expect(verify({ ...fresh(), tags: honest })).toBe(true)
  })

  test('own fields beside the seven do no harm, a __proto__ among them neither', () => {
    const extra = JSON.parse(`{"__proto__":{"kind":7},"constructor":1,${JSON.stringify(genuine).slice(1)}`)
    expect(verify(extra)).toBe(true)
    expect(verify({ ...fresh(), kind: undefined })).toBe(false)
  })

  test('an endless list of nothing costs nothing', () => {
    const tags: unknown[] = []
    tags.length = 2 ** 32 - 1
    expect(verify({ ...fresh(), tags })).toBe(false)
    expect(verify({ ...fresh(), tags: [tags] })).toBe(false)
  })

  test('what is no template is not signed', () => {
    const bad = [undefined, {}, { ...genuine, kind: -1 }, { ...genuine, tags: [[1]] }, { ...genuine, created_at: 1.5 }]
    for (const template of bad) expect(() => keys.sign(template as Event, secret)).toThrow(TypeError)
  })
})
