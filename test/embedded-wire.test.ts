import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DEFAULT_LIMITS } from '../relays/embedded/limits.ts'
import { claimedId, readEvent, readFilter, readMessage } from '../relays/embedded/wire.ts'

const limits = DEFAULT_LIMITS
const good = {
  id: 'a'.repeat(64),
  pubkey: 'b'.repeat(64),
  created_at: 1,
  kind: 1,
  tags: [['t', 'x']],
  content: 'hi',
  sig: 'c'.repeat(128),
}
const filterKeys = [
  'ids',
  'authors',
  'kinds',
  'since',
  'until',
  'limit',
  '#e',
  '#p',
  '#t',
  '#tt',
  '__proto__',
  'search',
]

/** JSON text, so that a `__proto__` key is what a stranger can really send. */
const object = (keys: readonly string[], values: fc.Arbitrary<unknown>) =>
  fc
    .array(fc.tuple(fc.constantFrom(...keys), values), { maxLength: 8 })
    .map(pairs => `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`)
const junk = fc.oneof(
  fc.jsonValue({ maxDepth: 6 }),
  fc.constantFrom<unknown>('a'.repeat(64), ['a'.repeat(64)], [1], [['t', 'x']], 1, -1, 1.5, 2 ** 60, '\ud800', [
    '\ud800',
  ]),
)

describe('what strangers send', { timeout: 60_000 }, () => {
  test('any text is a message or a sentence, never a throw', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.jsonValue({ maxDepth: 3 }).map(value => JSON.stringify(value)),
        ),
        text => {
          const read = readMessage(text)
          if (read.ok) expect(typeof read.value[0]).toBe('string')
          else expect(read.says).not.toBe('')
        },
      ),
      { numRuns: 1_000 },
    )
  })
  test('any object is an event of seven fields or refused, and pollutes nothing', () => {
    fc.assert(
      fc.property(
        object([...Object.keys(good), '__proto__', 'constructor', 'extra'], junk),
        fc.boolean(),
        (text, repair) => {
          const raw: unknown = JSON.parse(
            repair ? `{${JSON.stringify(good).slice(1, -1)},${text.slice(1)}`.replace(',}', '}') : text,
          )
          const read = readEvent(raw, limits)
          expect(typeof claimedId(raw)).toBe('string')
          if (read.ok) {
            expect(Object.keys(read.value.event).sort()).toEqual(Object.keys(good).sort())
            expect(JSON.parse(read.value.json)).toEqual(read.value.event)
            expect(Object.getPrototypeOf(read.value.event)).toBe(Object.prototype)
          }
          expect(Object.keys(Object.prototype)).toEqual([])
        },
      ),
      { numRuns: 2_000 },
    )
  })
  test('any object is a filter of known fields or refused', () => {
    fc.assert(
      fc.property(object(filterKeys, junk), text => {
        const read = readFilter(JSON.parse(text))
        if (!read.ok) return
        for (const [key, value] of Object.entries(read.value)) {
          expect(['ids', 'authors', 'kinds', 'since', 'until', 'limit', '#e', '#p', '#t']).toContain(key)
          expect(Array.isArray(value) || Number.isSafeInteger(value)).toBe(true)
        }
      }),
      { numRuns: 2_000 },
    )
  })
  test.each<[string, object]>([
    ['kind over 65535', { kind: 65_536 }],
    ['kind below 0', { kind: -1 }],
    ['fraction of a second', { created_at: 1.5 }],
    ['short id', { id: 'ab' }],
    ['upper-case key', { pubkey: 'B'.repeat(64) }],
    ['lone surrogate in content', { content: '\ud800' }],
    ['lone surrogate in a tag', { tags: [['t', '\ud800']] }],
    ['tag that is an object', { tags: [{}] }],
    ['tag item that is null', { tags: [['t', null]] }],
    ['2,001 tags', { tags: Array.from({ length: 2_001 }, () => []) }],
    ['129 KiB', { content: 'x'.repeat(129 * 1024) }],
    ['44 thousand three-byte letters', { content: '漢'.repeat(44_000) }],
    ['foreign field nested deeper than 4', { extra: [[[[]]]] }],
  ])('no event: %s', (_, change) => {
    expect(readEvent({ ...good, ...change }, limits).ok).toBe(false)
  })
  test.each<[string, object]>([
    ['kind 65535', { kind: 65_535 }],
    ['2,000 tags', { tags: Array.from({ length: 2_000 }, () => []) }],
    ['100 KiB', { content: 'x'.repeat(100 * 1024) }],
    ['flat foreign field', { extra: 1 }],
  ])('an event: %s', (_, change) => {
    expect(readEvent({ ...good, ...change }, limits).ok).toBe(true)
  })
  test('a nested bomb in a foreign field ends at the depth limit, not at the stack', () => {
    const bomb: unknown = JSON.parse(`{"extra":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)
    expect(readEvent({ ...good, ...(bomb as object) }, limits)).toMatchObject({ ok: false, rule: 'depth' })
  })
})
