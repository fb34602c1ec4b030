/** The pieces under fail-over that decide without any network: the one text, patience, what the next node is asked for. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AskEvent } from '../src/client/client.ts'
import { openMeasurements } from '../src/client/measured.ts'
import { type Patience, patienceFor, watchSilence } from '../src/client/patience.ts'
import { isDrawn } from '../src/client/recompute.ts'
import { openStory, type Telling } from '../src/client/story.ts'
import { handClock } from '../src/clock.ts'
import { sha256Hex } from '../src/hash.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { checkQuote } from '../src/payments/guard.ts'

const read = (told: readonly Telling[]): string =>
  told.reduce((text, { event, text: piece }) => (event === 'chunk' ? text + piece : piece), '')
const pieces = (text: string) =>
  fc.array(fc.nat({ max: text.length }), { maxLength: 6 }).map(cuts => {
    const at = [0, ...cuts.toSorted((a, b) => a - b), text.length]
    return at.slice(1).map((end, i) => text.slice(at[i], end))
  })
const story = () => {
  const told: Telling[] = []
  return { told, story: openStory(one => told.push(one)) }
}

describe('the story', () => {
  test('the same answer from several nodes is read once, wherever each of them broke off', () => {
    const runs = fc.string({ maxLength: 40 }).chain(text =>
      fc.record({
        text: fc.constant(text),
        broken: fc.array(fc.tuple(pieces(text), fc.nat({ max: 6 })), { maxLength: 3 }),
        last: pieces(text),
      }),
    )
    fc.assert(
      fc.property(runs, ({ text, broken, last }) => {
        const { told, story: one } = story()
        for (const [parts, until] of broken) {
          one.begin('whole')
          for (const piece of parts.slice(0, until)) one.chunk(piece)
        }
        one.begin('whole')
        for (const piece of last) one.chunk(piece)
        expect(told.every(({ event }) => event === 'chunk')).toBe(true)
        expect(read(told)).toBe(text)
        expect(one.shown).toBe(text)
      }),
      { numRuns: 1_000 },
    )
  })

  test('the rest goes on where the shown text ends, even where it begins alike', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (first, rest) => {
        const { told, story: one } = story()
        one.begin('whole')
        one.chunk(first)
        one.begin('rest')
        one.chunk(rest)
        expect(read(told)).toBe(first + rest)
      }),
      { numRuns: 1_000 },
    )
  })

  test('whatever nodes say, what was told reads as what is shown', () => {
    const word = fc.oneof(
      fc.record({ do: fc.constant('begin' as const), how: fc.constantFrom('whole' as const, 'rest' as const) }),
      fc.record({
        do: fc.constantFrom('chunk' as const, 'replaced' as const),
        text: fc.constantFrom('a', 'ab', 'b', ''),
      }),
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), said => {
        const { told, story: one } = story()
        for (const saying of said)
          if (saying.do === 'begin') one.begin(saying.how)
          else if (saying.do === 'chunk') one.chunk(saying.text)
          else one.replaced(saying.text)
        expect(read(told)).toBe(one.shown)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('patience', () => {
  const speeds = fc.record({ rttMs: fc.nat(), firstMs: fc.nat(), p95FirstMs: fc.nat() }, { requiredKeys: [] })
  test('has its bounds, whatever was measured or told', () => {
    fc.assert(
      fc.property(speeds, speed => {
        const { billMs, firstMs, gapMs, wholeMs } = patienceFor(speed)
        expect(billMs).toBeGreaterThanOrEqual(2_000)
        expect(billMs).toBeLessThanOrEqual(30_000)
        expect(firstMs).toBeLessThanOrEqual(120_000)
        expect(gapMs).toBeLessThanOrEqual(60_000)
        expect(wholeMs).toBeGreaterThanOrEqual(firstMs / 2)
      }),
      { numRuns: 1_000 },
    )
    expect(patienceFor({ rttMs: 200 }).billMs).toBe(2_400)
  })

  const patience: Patience = { billMs: 1_000, firstMs: 2_000, gapMs: 3_000, wholeMs: 10_000 }
  const bill = (word: 'before' | 'hold') =>
    ({ event: 'quote', by: 'n', msats: 1n, bolt11: '', terms: { word } }) as const satisfies AskEvent
  const events = {
    asked: { event: 'asked', request: 'r', relays: 1, sealed: true },
    paying: { event: 'paying', msats: 1n, hash: 'h' },
    paid: { event: 'paid', preimage: 'p', feeMsats: 0n },
    processing: { event: 'processing', by: 'n' },
    chunk: { event: 'chunk', text: 'x' },
  } as const satisfies Record<string, AskEvent>

  test.each([
    ['nothing comes', [events.asked], 1_000, 'silent'],
    ['it works and says nothing', [events.asked, events.processing], 2_000, 'no-answer'],
    ['it was paid and says nothing', [events.asked, bill('before'), events.paying, events.paid], 2_000, 'no-answer'],
    ['our own wallet takes its time', [events.asked, bill('before'), events.paying], undefined, undefined],
    ['the money is held', [events.asked, bill('hold'), events.paying], 10_000, 'no-answer'],
    ['its stream ends', [events.asked, events.processing, events.chunk], 3_000, 'dead-stream'],
    ['relays are slower than the node', [events.processing, events.chunk, events.asked], 3_000, 'dead-stream'],
  ] as const)('%s', async (_, seen, afterMs, code) => {
    const clock = handClock()
    const told: string[] = []
    const watch = watchSilence({ clock, patience, onSilent: why => told.push(why.code) })
    for (const event of seen) watch.see(event)
    if (afterMs === undefined) {
      await clock.advance(3_600_000)
      expect(told).toEqual([])
      return
    }
    await clock.advance(afterMs - 1)
    expect(told).toEqual([])
    await clock.advance(3_600_000)
    expect(told).toEqual([code])
    watch.see(events.chunk)
    await clock.advance(3_600_000)
    expect(told).toHaveLength(1)
  })

  test('a stream that was slow before is waited for longer', async () => {
    const clock = handClock()
    const told: string[] = []
    const watch = watchSilence({ clock, patience, onSilent: why => told.push(why.code) })
    watch.see(events.processing)
    watch.see(events.chunk)
    await clock.advance(2_000)
    watch.see(events.chunk)
    await clock.advance(7_999)
    expect(told).toEqual([])
    await clock.advance(1)
    expect(told).toEqual(['dead-stream'])
  })
})

describe('what is measured', () => {
  test('means move, the newest five hundred nodes stay, and nothing that was kept breaks the reading', () => {
    const journal = memoryJournal()
    const measured = openMeasurements({ journal, clock: handClock() })
    measured.speed('n', { rttMs: 100 })
    measured.speed('n', { rttMs: 200, firstMs: 50 })
    measured.ended('n', true)
    expect(measured.of('n')).toMatchObject({ rttMs: 130, firstMs: 50, p95FirstMs: 100, served: 1, failed: 0 })
    for (let i = 0; i < 600; i++) measured.ended(`other ${i}`, false)
    expect(journal.shelf('nodes measured').size).toBe(500)
    expect(measured.of('n')).toBeUndefined()
    journal.shelf('nodes measured').set('torn', 'x')
    expect(measured.of('torn')).toBeUndefined()
  })

  test('one in twenty routing events is drawn, by an id and a secret together', () => {
    const ids = Array.from({ length: 4_000 }, (_, i) => sha256Hex(`${i}`))
    const drawn = ids.filter(id => isDrawn(id, sha256Hex('mine')))
    expect(drawn.length).toBeGreaterThan(140)
    expect(drawn.length).toBeLessThan(270)
    expect(drawn).toEqual(ids.filter(id => isDrawn(id, sha256Hex('mine'))))
    expect(drawn).not.toEqual(ids.filter(id => isDrawn(id, sha256Hex('yours'))))
  })
})

describe('the guard, where parts were bought elsewhere', () => {
  const hash = 'a'.repeat(64)
  const base = {
    ...{ quotedBy: 'n', job: 'j', quotedJob: 'j', ours: () => true, now: 0, seenHashes: () => false, orders: [] },
    spent: { jobMsats: 0n, hourMsats: 0n, dayMsats: 0n, peerDayMsats: 0n },
  }
  const rule = (part: number, from: number, msats: bigint, more: object = {}) => {
    const verdict = checkQuote({
      ...base,
      msats,
      caps: { jobMsats: 2_000n },
      terms: { word: 'parts', part, parts: 4 },
      wished: { word: 'parts', parts: 4, from },
      ...more,
    })
    return verdict.ok ? 'ok' : verdict.rule
  }

  test('bills begin after them, and cost what is left', () => {
    // Without a wallet whatever passes all else ends there.
    expect(rule(3, 2, 500n, { announcedMsats: 2_000n })).toBe('no-wallet')
    expect(rule(1, 2, 500n)).toBe('already-paying')
    expect(rule(4, 2, 500n)).toBe('already-paying')
    expect(rule(4, 2, 500n, { orders: [{ hash, msats: 500n, state: 'paid' }] })).toBe('no-wallet')
    expect(rule(3, 2, 501n, { announcedMsats: 2_000n })).toBe('over-part')
    // What is left of the cap is for what is left of the parts.
    expect(rule(3, 2, 500n, { announcedMsats: 2_000n, caps: { jobMsats: 1_000n } })).toBe('no-wallet')
    expect(rule(3, 2, 500n, { announcedMsats: 2_000n, caps: { jobMsats: 900n } })).toBe('over-part')
    expect(rule(1, 0, 500n, { announcedMsats: 2_000n })).toBe('no-wallet')
  })
})
