/** Frames on their way in: shown in order, asked for again where they are missing, and never believed against the result. */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isSealed, streamControl } from '../kinds/index.ts'
import { openStreamIn } from '../src/client/stream.ts'
import { type HandClock, handClock } from '../src/clock.ts'
import { sha256Hex } from '../src/hash.ts'
import { type Desk, openDesk, shownOf } from './client-desk.ts'
import { keeps } from './promises.ts'
import { memoryWorld } from './worlds.ts'

const pieces = fc.array(fc.string({ minLength: 1, maxLength: 4 }), { maxLength: 12 })

/** A stream with what it asked for. */
function streaming(clock = handClock()) {
  const asked: number[] = []
  return { clock, asked, stream: openStreamIn({ clock, resend: from => asked.push(from) }) }
}

describe('frames', () => {
  test('in any order, repeated or lost: what is shown is the beginning, and with the result the whole', () => {
    const runs = pieces.chain(parts =>
      fc.record({
        parts: fc.constant(parts),
        order: fc.array(fc.nat({ max: Math.max(0, parts.length - 1) }), { maxLength: 40 }),
      }),
    )
    fc.assert(
      fc.property(runs, ({ parts, order }) => {
        const { stream } = streaming()
        const text = parts.join('')
        let out = ''
        for (const at of order) out += parts[at] === undefined ? '' : stream.frame(at, parts[at])
        expect(text.startsWith(out)).toBe(true)
        const came = new Set(order)
        const gap = parts.findIndex((_, at) => !came.has(at))
        expect(out).toBe(parts.slice(0, gap < 0 ? parts.length : gap).join(''))
        expect(stream.shown).toBe(out)
        const { rest, replaced } = stream.answer(text)
        expect([out + rest, replaced]).toEqual([text, false])
        expect(stream.frame(order.length, 'late')).toBe('')
      }),
      { numRuns: 1_000 },
    )
  })

  keeps('stream.whole', 'that tell another story than the result are replaced by it', () => {
    fc.assert(
      fc.property(pieces, fc.string(), (parts, text) => {
        const { stream } = streaming()
        for (const [seq, part] of parts.entries()) stream.frame(seq, part)
        const shown = parts.join('')
        const { rest, replaced } = stream.answer(text)
        expect(replaced).toBe(!text.startsWith(shown))
        expect(replaced ? rest : shown + rest).toBe(text)
      }),
      { numRuns: 1_000 },
    )
  })

  test('are the whole only where all came, the last one too, and the digest is theirs', () => {
    fc.assert(
      fc.property(pieces, fc.nat({ max: 13 }), fc.boolean(), (parts, last, right) => {
        const { stream } = streaming()
        for (const [seq, part] of parts.entries()) stream.frame(seq, part)
        const digest = sha256Hex(right ? parts.join('') : `${parts.join('')}!`)
        expect(stream.whole(digest)).toBeUndefined()
        stream.ends(last)
        expect(stream.whole(digest)).toBe(right && last === parts.length - 1 ? parts.join('') : undefined)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('a gap', () => {
  test('is asked for after 300 ms, three times in all, each time after twice as long', async () => {
    const { clock, asked, stream } = streaming()
    stream.frame(0, 'a')
    stream.frame(2, 'c')
    await clock.advance(299)
    expect(asked).toEqual([])
    await clock.advance(1)
    expect(asked).toEqual([1])
    stream.frame(3, 'd')
    await clock.advance(599)
    expect(asked).toEqual([1])
    await clock.advance(1)
    expect(asked).toEqual([1, 1])
    await clock.advance(1_200)
    expect(asked).toEqual([1, 1, 1])
    await clock.advance(60_000)
    expect(asked).toEqual([1, 1, 1])
    expect(stream.frame(1, 'b')).toBe('bcd')
    expect(clock.waiting).toBe(0)
  })

  test('that closes in time, or ends with the result or the job, is asked for no more', async () => {
    const ends: ((stream: ReturnType<typeof openStreamIn>) => unknown)[] = [
      stream => stream.frame(0, 'a'),
      stream => stream.answer('ab'),
      stream => stream.close(),
    ]
    for (const end of ends) {
      const { clock, asked, stream } = streaming()
      stream.frame(1, 'b')
      await clock.advance(200)
      end(stream)
      await clock.advance(10_000)
      expect([asked, clock.waiting]).toEqual([[], 0])
    }
  })

  test('behind a gap has its own time', async () => {
    const { clock, asked, stream } = streaming()
    stream.frame(1, 'b')
    stream.frame(3, 'd')
    await clock.advance(250)
    stream.frame(0, 'a')
    await clock.advance(250)
    expect(asked).toEqual([])
    await clock.advance(50)
    expect(asked).toEqual([2])
  })

  test('a stream of nothing but gaps does not make us ask for ever', async () => {
    const { clock, asked, stream } = streaming()
    for (let seq = 0; seq < 400; seq += 2) {
      stream.frame(seq + 1, 'x')
      await clock.advance(400)
      stream.frame(seq, 'x')
    }
    expect(asked).toHaveLength(60)
  })
})

describe('a client that misses a frame', () => {
  let desk: Desk
  let clock: HandClock
  beforeEach(async () => {
    clock = handClock()
    desk = await openDesk(await memoryWorld(clock))
  })
  afterEach(() => desk.close())

  test('asks the node for it, sealed as the job was, and shows what then comes', async () => {
    const asking = desk.ask({ text: 'Hi' })
    const job = await desk.next()
    await job.frame(0, 'one ')
    await job.frame(2, 'three')
    await clock.advance(400)
    const { event, wrapped } = await desk.letter(streamControl.number)
    expect([wrapped, isSealed(event), event.pubkey]).toEqual([false, true, job.request.pubkey])
    expect(streamControl.read(event, desk.open(event))).toMatchObject({
      value: { job: job.request.id, to: desk.node, ask: 'resend', from: 1 },
    })
    await job.frame(1, 'two ')
    await job.frame(3, '.', true)
    expect(shownOf(desk.events)).toBe('one two three.')
    await job.result({ text: 'one two three.' })
    expect(await asking).toMatchObject({ ok: true, text: 'one two three.' })
    expect(desk.events.some(({ event: word }) => word === 'replaced')).toBe(false)
  })

  test('in wraps asks in a wrap', async () => {
    void desk.ask({
      text: 'Hi',
      privacy: 2,
      node: { pubkey: desk.node, announcement: desk.announcement({ privacy: [2] }) },
    })
    const job = await desk.next()
    await job.frame(1, 'two')
    await clock.advance(400)
    expect(await desk.letter(streamControl.number)).toMatchObject({ wrapped: true })
    expect(desk.world.seen.map(({ kind }) => kind)).not.toContain(streamControl.number)
  })

  test('is told where the frames were not the answer', async () => {
    const asking = desk.ask({ text: 'Hi' })
    const job = await desk.next()
    await job.frame(0, 'false ')
    await job.result({ text: 'the true words' })
    await asking
    expect(desk.events.at(-1)).toEqual({ event: 'replaced', text: 'the true words' })
  })
})
