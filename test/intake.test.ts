import { describe, expect, test } from 'vitest'
import type { Event, Template } from '../kinds/kind.ts'
import type { Admit } from '../relays/relay.ts'
import { handClock } from '../src/clock.ts'
import { type IntakeOptions, openIntake, type Reason, reasons } from '../src/intake.ts'
import { openKeys } from '../src/keys.ts'

const keys = await openKeys()
const [us, alice, bob] = [keys.newSecret(), keys.newSecret(), keys.newSecret()]
const me = keys.publicKey(us)
const now = 1_800_000_000
const relay = 'wss://one.example'

const parsed = (value: unknown) => JSON.parse(JSON.stringify(value))
const request = (change: Partial<Template> = {}, secret = alice): Event =>
  parsed(keys.sign({ kind: 5050, created_at: now, tags: [['p', me]], content: '', ...change }, secret))

function door(options: Partial<IntakeOptions> = {}) {
  const clock = handClock(now * 1000)
  let verified = 0
  const verify = (event: Event) => {
    verified++
    return keys.verify(event)
  }
  const intake = openIntake({ verify, clock, kinds: [5050, 7000], me, ...options })
  return {
    clock,
    intake,
    admit: (raw: unknown, from = relay) => intake.admit(raw, from),
    verified: () => verified,
    /** Why the last one was dropped; `admitted` when it was not. */
    why(raw: unknown, from = relay): Reason | 'admitted' {
      const before = intake.counts()
      if (intake.admit(raw, from)) return 'admitted'
      const after = intake.counts()
      const grown = reasons.filter(reason => after[reason] !== before[reason])
      expect(grown.length).toBe(1)
      return grown[0] ?? 'admitted'
    },
  }
}
const flip = (hex: string) => hex.slice(0, -1) + (hex.endsWith('0') ? '1' : '0')

describe('what comes in', () => {
  test('a genuine event, as a deeply frozen copy with the seven fields only', () => {
    const raw = { ...request({ tags: [['p', me], []] }), extra: { deep: [1] }, seen_on: [relay] }
    const event = door().admit(raw)
    const { extra, seen_on, ...seven } = raw
    expect(event).toEqual(seven)
    expect(event).not.toBe(raw)
    expect([event, event?.tags, ...(event?.tags ?? [])].every(Object.isFrozen)).toBe(true)
    raw.content = 'changed'
    expect(event?.content).toBe('')
  })

  test('fits the door of relays', () => {
    const admit: Admit = door().intake.admit
    expect(admit(request(), relay)?.kind).toBe(5050)
  })

  test('the first reason that applies is counted, and only what passed all others reaches the curve', () => {
    const { why, verified } = door({ rate: { perAuthorPerMinute: 60, burst: 1 } })
    const good = request()
    // Each has every fault of those after it: a wrong id and signature, and most of the others.
    const wrong = { ...good, id: 'ab'.repeat(32), sig: 'cd'.repeat(64) }
    const stranger = [
      ['p', keys.publicKey(bob)],
      ['expiration', '5'],
    ]
    const cases: [Reason, unknown][] = [
      ['shape', { ...wrong, content: 7, kind: 1 }],
      ['size', { ...wrong, content: 'x'.repeat(262_145), kind: 1, tags: stranger, created_at: 5 }],
      ['kind', { ...wrong, kind: 1, tags: stranger, created_at: 5 }],
      ['recipient', { ...wrong, tags: stranger, created_at: 5 }],
      ['time', { ...wrong, tags: [...stranger, ['p', me]], created_at: 5 }],
      ['expired', { ...wrong, tags: [...stranger, ['p', me]] }],
    ]
    for (const [reason, raw] of cases) expect(why(raw)).toBe(reason)
    expect(why(wrong)).toBe('id')
    expect(verified()).toBe(0)
    expect(why({ ...good, sig: 'cd'.repeat(64) })).toBe('signature')
    expect(verified()).toBe(1)
    expect(why(good)).toBe('admitted')
    expect(why({ ...good, sig: 'cd'.repeat(64) })).toBe('seen')
    expect(why({ ...wrong, tags: [['p', me]] })).toBe('rate')
    expect(verified()).toBe(2)
  })

  test('whom it is for', () => {
    const forBob = [['p', keys.publicKey(bob)]]
    const closed = door()
    expect(closed.why(request({ tags: forBob }))).toBe('recipient')
    expect(closed.why(request({ tags: [] }))).toBe('recipient')
    expect(closed.why(request({ tags: [...forBob, ['p', me]] }))).toBe('admitted')
    const open = door({ open: true })
    expect(open.why(request({ tags: [] }))).toBe('admitted')
    expect(open.why(request({ tags: forBob }))).toBe('recipient')
    const router = openIntake({ verify: keys.verify, clock: closed.clock, kinds: [5050] })
    expect(router.admit(request({ tags: forBob }), relay)?.tags).toEqual(forBob)
    const jobKeys = new Set([keys.publicKey(bob)])
    expect(door({ me: pubkey => jobKeys.has(pubkey) }).why(request({ tags: forBob }))).toBe('admitted')
  })

  test('when: within the window, its ends included, and before it expires', () => {
    const { why } = door()
    const at = (created_at: number) => why(request({ created_at }))
    expect([at(now - 601), at(now - 600), at(now + 60), at(now + 61)]).toEqual(['time', 'admitted', 'admitted', 'time'])
    const until = (text: string) =>
      why(
        request({
          tags: [
            ['p', me],
            ['expiration', text],
          ],
        }),
      )
    expect([until(`${now}`), until(`${now + 1}`), until('soon'), until('0')]).toEqual([
      'expired',
      'admitted',
      'admitted',
      'expired',
    ])
  })

  test('a kind may have a window of its own', () => {
    const { why } = door({
      windowOf: kind => (kind === 7000 ? { past: Number.POSITIVE_INFINITY, ahead: 0 } : undefined),
    })
    expect(why(request({ kind: 7000, created_at: 1 }))).toBe('admitted')
    expect(why(request({ kind: 7000, created_at: now + 1 }))).toBe('time')
    expect(why(request({ created_at: now - 601 }))).toBe('time')
  })
})

describe('once', () => {
  test('an event comes in once, from whatever relay', () => {
    const { why } = door()
    const event = request()
    expect(why(event)).toBe('admitted')
    expect(why(event)).toBe('seen')
    expect(why(event, 'wss://two.example')).toBe('seen')
  })

  test('a forged twin, before or after, hides nothing', () => {
    const { why } = door()
    const event = request()
    expect(why({ ...event, sig: flip(event.sig) })).toBe('signature')
    expect(why({ ...event, content: 'other' })).toBe('id')
    expect(why(event)).toBe('admitted')
  })

  test('memory is bounded: after twice as many others an old one would come in again', () => {
    const { why } = door({ seenMax: 3 })
    const events = Array.from({ length: 8 }, (_, i) => request({ content: `${i}` }))
    for (const event of events) expect(why(event)).toBe('admitted')
    expect(why(events[7])).toBe('seen')
    expect(why(events[5])).toBe('seen')
    expect(why(events[0])).toBe('admitted')
  })

  test('without memory each asking is its own', () => {
    const { why } = door({ seenMax: 0 })
    const event = request()
    expect([why(event), why(event)]).toEqual(['admitted', 'admitted'])
  })
})

describe('how often', () => {
  test('an author has a burst, then so many per minute; another author is not touched', async () => {
    const { why, clock } = door({ rate: { perAuthorPerMinute: 2, burst: 3 } })
    let n = 0
    const next = (secret = alice) => why(request({ content: `${n++}` }, secret))
    expect([next(), next(), next(), next()]).toEqual(['admitted', 'admitted', 'admitted', 'rate'])
    expect(next(bob)).toBe('admitted')
    await clock.advance(29_000)
    expect(next()).toBe('rate')
    await clock.advance(1000)
    expect([next(), next()]).toEqual(['admitted', 'rate'])
    await clock.advance(400_000)
    expect([next(), next(), next(), next()]).toEqual(['admitted', 'admitted', 'admitted', 'rate'])
  })

  test('nobody can spend the rate of another by forging in his name', () => {
    const { why } = door({ rate: { perAuthorPerMinute: 1, burst: 1 } })
    const event = request()
    for (let i = 0; i < 20; i++) expect(why({ ...event, sig: flip(event.sig) })).toBe('signature')
    expect(why(event)).toBe('admitted')
  })

  test('authors are forgotten, not collected', () => {
    const { why } = door({ rate: { perAuthorPerMinute: 1, burst: 1, authorsMax: 1 } })
    expect(why(request({ content: 'a' }))).toBe('admitted')
    expect(why(request({ content: 'b' }))).toBe('rate')
    expect(why(request({ content: 'c' }, bob))).toBe('admitted')
    expect(why(request({ content: 'd' }))).toBe('admitted')
  })

  test('a relay that hands on forgeries is not heard for a while; others are, and nothing is lost there', async () => {
    const { why, verified, clock } = door({ forgeriesPerMinute: 5 })
    const event = request()
    for (let i = 0; i < 5; i++) expect(why({ ...event, sig: flip(event.sig) })).toBe('signature')
    for (let i = 0; i < 50; i++) expect(why({ ...event, sig: flip(event.sig) })).toBe('forgeries')
    expect(verified()).toBe(5)
    expect(why(event)).toBe('forgeries')
    expect(why(event, 'wss://two.example')).toBe('admitted')
    await clock.advance(12_000)
    expect(why(request({ content: 'later' }))).toBe('admitted')
  })
})
