/** Frames on their way out: whatever relays and readers do, they are together the answer. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { handClock } from '../src/clock.ts'
import { keptFrames, openSentFrames, resentFrames } from '../src/node/sent-frames.ts'
import { frameChars, frameMs, framesUnderWay, openStream, waitingChars } from '../src/node/stream.ts'

interface Sent {
  readonly text: string
  readonly last: boolean
  readonly ms: number
  readonly underWay: number
}

function open() {
  const clock = handClock()
  const sent: Sent[] = []
  let underWay = 0
  const stream = openStream({
    clock,
    send(text, last) {
      underWay++
      sent.push({ text, last, ms: clock.now(), underWay })
    },
  })
  return {
    ...{ clock, sent, stream },
    ack() {
      if (underWay === 0) return
      underWay--
      stream.acked()
    },
    joined: () => sent.map(({ text }) => text).join(''),
  }
}

/** Pieces as runners give them: words, nothing, halves of characters, and once in a while very much. */
const piece = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 12 }) },
  { weight: 2, arbitrary: fc.constantFrom('', '\ud83d', '\ude00', '😀', '漢字') },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 20_000 }).map(n => '😀x'.repeat(n).slice(0, n)) },
)
const happening = fc.oneof(
  { weight: 4, arbitrary: piece.map(text => ({ text })) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 200 }).map(ms => ({ ms })) },
  { weight: 3, arbitrary: fc.constant({ ack: true as const }) },
)

describe('frames', () => {
  test('are the text, in any order of words, time and acknowledgements', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 40 }), fc.boolean(), async (story, last) => {
        const { clock, sent, stream, ack, joined } = open()
        let whole = ''
        for (const one of story) {
          if ('text' in one) {
            whole += one.text
            stream.push(one.text)
          } else if ('ms' in one) await clock.advance(one.ms)
          else ack()
        }
        fc.pre(whole.length <= waitingChars)
        const before = sent.length
        expect(sent.every(({ underWay }) => underWay <= framesUnderWay)).toBe(true)
        expect(sent.every((frame, i) => i === 0 || frame.ms - (sent[i - 1]?.ms ?? 0) >= frameMs)).toBe(true)
        stream.end(last)
        expect(joined()).toBe(whole.toWellFormed())
        expect(sent.every(({ text }) => text.length <= frameChars && text.isWellFormed())).toBe(true)
        expect(sent.filter(frame => frame.last).length).toBe(last && sent.length > 0 ? 1 : 0)
        expect(sent.slice(0, -1).some(frame => frame.last)).toBe(false)
        // Only the sign of the end may be without words.
        expect(sent.slice(0, before).some(({ text }) => text === '')).toBe(false)
        await clock.advance(1_000)
        expect(joined()).toBe(whole.toWellFormed())
        expect(clock.waiting).toBe(0)
      }),
      { numRuns: 1_000 },
    )
  })

  test('begin with the first words at once and gather the rest', async () => {
    const { clock, sent, stream, ack } = open()
    stream.push('Ray')
    stream.push('leigh')
    stream.push(' scatters')
    expect(sent.map(({ text }) => text)).toEqual(['Ray'])
    await clock.advance(frameMs - 1)
    expect(sent).toHaveLength(1)
    await clock.advance(1)
    expect(sent.map(({ text }) => text)).toEqual(['Ray', 'leigh scatters'])
    ack()
    await clock.advance(500)
    stream.push(' blue')
    // Nobody waits for company when nothing was sent for long.
    expect(sent.map(({ text }) => text).at(-1)).toBe(' blue')
  })

  test('wait for relays: no more than four are under way, and what gathered meanwhile goes as one', async () => {
    const { clock, sent, stream, ack } = open()
    for (let word = 0; word < 100; word++) {
      stream.push('w')
      await clock.advance(frameMs)
    }
    expect(sent).toHaveLength(framesUnderWay)
    ack()
    expect(sent).toHaveLength(framesUnderWay + 1)
    expect(sent.at(-1)?.text).toBe('w'.repeat(96))
    stream.push('tail')
    stream.end(true)
    expect(sent.at(-1)).toMatchObject({ text: 'tail', last: true })
  })

  test('leave the rest to the result when relays take nothing for very long', () => {
    const { sent, stream, joined } = open()
    stream.push('a')
    stream.push('b'.repeat(waitingChars + 1))
    stream.push('c')
    stream.end(true)
    expect(joined()).toBe('a')
    expect(sent.some(({ last }) => last)).toBe(false)
  })

  test('are none where there was nothing to say', () => {
    const { sent, stream } = open()
    stream.end(true)
    expect(sent).toEqual([])
  })

  test('stop when told: nothing leaves after a drop', async () => {
    const { clock, sent, stream } = open()
    stream.push('a')
    stream.push('b')
    stream.drop()
    await clock.advance(1_000)
    expect(sent).toHaveLength(1)
    expect(clock.waiting).toBe(0)
  })
})

describe('sent frames', () => {
  test('mend what got lost, whichever were', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 60 }),
        fc.infiniteStream(fc.boolean()),
        async (texts, luck) => {
          const clock = handClock()
          const frames = openSentFrames(clock)
          const got = new Map<number, string>()
          const times = new Map<number, number>()
          const deliver = ({ seq, text, at }: { seq: number; text: string; at: number }) => {
            // The same frame at the same second would be the same event.
            expect(times.get(seq)).not.toBe(at)
            times.set(seq, at)
            if (luck.next().value) got.set(seq, text)
          }
          for (const [seq, text] of texts.entries()) deliver(frames.keep(seq, text, seq === texts.length - 1))
          for (let round = 0; got.size < texts.length && round < 500; round++) {
            const missing = texts.findIndex((_, seq) => !got.has(seq))
            const again = frames.from(missing)
            expect(again.length).toBeLessThanOrEqual(resentFrames)
            expect(again[0]?.seq).toBe(missing)
            for (const frame of again) deliver(frame)
            await clock.advance(1_000)
          }
          expect(texts.map((_, seq) => got.get(seq))).toEqual(texts)
        },
      ),
      { numRuns: 1_000 },
    )
  })

  test('are bounded in number, size and in how often they are asked for', async () => {
    const clock = handClock()
    const frames = openSentFrames(clock)
    for (let seq = 0; seq < 2 * keptFrames; seq++) frames.keep(seq, 'x', false)
    expect(frames.from(0)[0]?.seq).toBe(keptFrames)
    for (let seq = 0; seq < 100; seq++) frames.keep(1_000 + seq, 'x'.repeat(8_000), false)
    expect(frames.from(1_000)[0]?.seq).toBe(1_000 + 100 - 32)
    let answered = 0
    for (let asked = 0; asked < 100; asked++) answered += frames.from(1_090).length > 0 ? 1 : 0
    expect(answered).toBe(10)
    await clock.advance(1_000)
    expect(frames.from(1_090)).toHaveLength(10)
    frames.clear()
    await clock.advance(60_000)
    expect(frames.from(0)).toEqual([])
  })

  test('bring at most as much again as was sent, and a megabyte: who asks for ever is not answered for ever', async () => {
    const clock = handClock()
    const frames = openSentFrames(clock)
    for (let seq = 0; seq < 20; seq++) frames.keep(seq, 'x'.repeat(8_000), false)
    let chars = 0
    for (let second = 0; second < 600; second++) {
      for (const { text } of frames.from(0)) chars += text.length
      await clock.advance(1_000)
    }
    expect(chars).toBeGreaterThan(1_048_576)
    expect(chars).toBeLessThanOrEqual(1_048_576 + 160_000)
    // What is said from now on can be had again.
    frames.keep(20, 'new', false)
    expect(frames.from(20).map(({ text }) => text)).toEqual(['new'])
  })

  test('of a process that began anew are the new ones only', () => {
    const frames = openSentFrames(handClock())
    for (const seq of [0, 1, 2]) frames.keep(seq, `old ${seq}`, false)
    frames.keep(0, 'new 0', false)
    expect(frames.from(0).map(({ text }) => text)).toEqual(['new 0'])
  })

  test('the last one says so when asked again', () => {
    const frames = openSentFrames(handClock())
    expect(frames.close()).toBeUndefined()
    frames.keep(0, 'a', false)
    frames.keep(1, 'b', false)
    expect(frames.close()).toMatchObject({ seq: 1, text: 'b', last: true })
    expect(frames.from(0).map(({ last }) => last)).toEqual([false, true])
  })
})
