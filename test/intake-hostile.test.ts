import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { verifyEvent } from 'nostr-tools/pure'
import { describe, expect, test } from 'vitest'
import type { Event } from '../kinds/kind.ts'
import { handClock } from '../src/clock.ts'
import { openIntake, type Reason } from '../src/intake.ts'
import { openKeys } from '../src/keys.ts'

const keys = await openKeys()
const secret = keys.newSecret()
const now = 1_800_000_000
const always = { past: Number.POSITIVE_INFINITY, ahead: Number.POSITIVE_INFINITY }
const verifyAny = (raw: unknown) => keys.verify(raw as Event)
const parsed = (value: unknown) => JSON.parse(JSON.stringify(value))
const genuine: Record<string, unknown> = parsed(
  keys.sign({ kind: 5050, created_at: now, tags: [['i', 'x', 'text']], content: 'hello' }, secret),
)

function open(kinds = [5050], at = now) {
  let verified = 0
  const verify = (event: Event) => {
    verified++
    return keys.verify(event)
  }
  const intake = openIntake({ verify, clock: handClock(at * 1000), kinds, windowSeconds: always, seenMax: 0 })
  const why = (raw: unknown): string => {
    const before = intake.counts()
    if (intake.admit(raw, 'r')) return 'admitted'
    const after = intake.counts()
    return (Object.keys(after) as Reason[]).find(reason => after[reason] !== before[reason]) ?? 'uncounted'
  }
  return { ...intake, why, verified: () => verified }
}

describe('strangers', () => {
  test('anything is dropped without a throw, and what is admitted an independent verifier accepts', () => {
    const { admit } = open(Array.from({ length: 100 }, (_, i) => 5000 + i))
    const field = fc.constantFrom('id', 'pubkey', 'created_at', 'kind', 'tags', 'content', 'sig', 'other', '__proto__')
    const changes = fc.array(fc.tuple(field, fc.jsonValue()), { maxLength: 2 })
    let admitted = 0
    fc.assert(
      fc.property(
        fc.oneof(
          changes.map(list => Object.fromEntries([...Object.entries(genuine), ...list])),
          fc.jsonValue({ maxDepth: 6 }),
          fc.anything({ withBigInt: true, withSparseArray: true, withNullPrototype: true, withMap: true }),
        ),
        raw => {
          const event = admit(raw, 'r')
          if (!event) return
          admitted++
          expect(verifyEvent(parsed(event))).toBe(true)
          expect(Object.isFrozen(event)).toBe(true)
        },
      ),
      { numRuns: 3000 },
    )
    expect(admitted).toBeGreaterThan(100)
  })

  test('all real DVM events come in', () => {
    const lines = readFileSync(new URL('vectors/dvm-real-events.jsonl', import.meta.url), 'utf8')
      .trim()
      .split('\n')
    const events = lines.map(line => JSON.parse(line).event as Event)
    const { admit, counts } = open(
      events.map(event => event.kind),
      1_700_000_000,
    )
    for (const event of events) expect(admit(event, 'r')).toEqual(event)
    expect(Object.values(counts()).every(count => count === 0)).toBe(true)
  })

  test('getters, proxies and inherited fields are dropped and never asked', () => {
    const { why, verified } = open()
    let asked = 0
    const count = () => {
      asked++
      throw new Error('boo')
    }
    for (const name of Object.keys(genuine)) {
      expect(why(Object.defineProperty({ ...genuine }, name, { get: count }))).toBe('shape')
      const { [name]: value, ...rest } = genuine
      expect(why(Object.setPrototypeOf(rest, { [name]: value }))).toBe('shape')
    }
    const trap = new Proxy({}, { get: () => count })
    expect(why(new Proxy(genuine, trap))).toBe('shape')
    expect(why({ ...genuine, tags: new Proxy([['t', 'x']], trap) })).toBe('shape')
    expect(why({ ...genuine, tags: [new Proxy(['t', 'x'], trap)] })).toBe('shape')
    expect([asked, verified()]).toEqual([0, 0])
  })

  test('a proxy that was revoked is dropped too', () => {
    const { proxy, revoke } = Proxy.revocable<unknown[]>([], {})
    revoke()
    for (const raw of [proxy, { ...genuine, tags: proxy }, { ...genuine, tags: [proxy] }]) {
      expect(open().why(raw)).toBe('shape')
      expect(verifyAny(raw)).toBe(false)
    }
  })

  test('too much of anything is dropped before it is hashed or copied', () => {
    const { why, verified } = open()
    // `touched` counts reads of the second of so many tags: the limit speaks before the list is walked.
    let touched = 0
    const many: unknown[] = Array.from({ length: 1_000_000 }, () => ['t', 'x'])
    Object.defineProperty(many, 1, {
      get() {
        touched++
        return ['t', 'x']
      },
    })
    expect(why({ ...genuine, tags: many })).toBe('size')
    expect(touched).toBe(0)
    expect(why({ ...genuine, tags: [Array.from({ length: 1_000_000 }, () => '')] })).toBe('size')
    expect(why({ ...genuine, tags: [['t', 'x'.repeat(300_000)]] })).toBe('size')
    expect(why({ ...genuine, content: 'x'.repeat(300_000) })).toBe('size')
    expect(why({ ...genuine, content: '€'.repeat(100_000) })).toBe('size')
    const sparse: unknown[] = []
    sparse.length = 2 ** 32 - 1
    expect(why({ ...genuine, tags: sparse })).toBe('size')
    expect(why({ ...genuine, tags: [sparse] })).toBe('shape')
    expect(verified()).toBe(0)
  })

  test('bytes are counted as UTF-8, content and tag values together', () => {
    const intake = (maxBytes: number) =>
      openIntake({ verify: keys.verify, clock: handClock(now * 1000), kinds: [5050], maxBytes })
    const euros = parsed(keys.sign({ kind: 5050, created_at: now, tags: [['t', '€€']], content: '€€€' }, secret))
    expect(intake(16).admit(euros, 'r')).toEqual(euros)
    expect(intake(15).admit(euros, 'r')).toBeUndefined()
    expect(intake(15).counts().size).toBe(0)
  })

  test('depth does no harm, neither in a field nor beside them', () => {
    const { why } = open()
    let deep: unknown = []
    for (let i = 0; i < 200_000; i++) deep = [deep]
    expect(why({ ...genuine, tags: deep })).toBe('shape')
    expect(why({ ...genuine, tags: [['t', deep]] })).toBe('shape')
    expect(why({ ...genuine, content: deep })).toBe('shape')
    expect(why({ ...genuine, beside: deep })).toBe('admitted')
  })

  test('a prototype in the JSON reaches nothing', () => {
    const { admit } = open()
    const text = JSON.stringify(genuine)
    const event = admit(
      JSON.parse(`{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},${text.slice(1)}`),
      'r',
    )
    expect(event).toEqual(genuine)
    expect(Object.keys(event ?? {}).length).toBe(7)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect('polluted' in (event ?? {})).toBe(false)
  })

  test('the mark that nostr-tools leaves on an event it verified proves nothing here', () => {
    const event = parsed(genuine)
    expect(verifyEvent(event)).toBe(true)
    expect(open().why({ ...event, content: 'TAMPERED' })).toBe('id')
  })
})
