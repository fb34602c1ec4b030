import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { handClock } from '../src/clock.ts'
import { echoKinds, echoRunner } from '../src/runners/echo.ts'
import { type Message, RunnerError, type Work } from '../src/runners/runner.ts'
import { collect, runnerSuite, textIn, work } from './suites/runners.ts'
import { collectDeltas } from './suites/runners-forms.ts'
import { vectorSuite } from './suites/runners-vectors.ts'

runnerSuite('echo', () => echoRunner({ clock: handClock() }), {
  first: 'the quick brown fox jumps',
  second: 'over a lazy dog',
})

vectorSuite('echo', () => echoRunner({ clock: handClock(), kinds: echoKinds }), [5080, 5081, 5082])

describe('echo', () => {
  test('answers the last user message, and counts words', async () => {
    const runner = echoRunner({ clock: handClock() })
    const messages = [
      { role: 'system', content: 'be brief' },
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'one' },
      { role: 'user', content: ' two  words ' },
    ] as const
    const { pieces, done } = await collect(runner, { ...work(''), messages })
    expect(pieces).toEqual(['two', '  words'])
    expect(done).toEqual({ text: 'two  words', model: 'echo', promptTokens: 6, outputTokens: 2, finish: 'stop' })
  })

  test('for any text: pieces join to it, estimate and usage agree', async () => {
    const runner = echoRunner({ clock: handClock() })
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        async (text, limit) => {
          const job = work(text, { maxTokens: limit })
          const estimate = await runner.check(job)
          if (!estimate.ok) {
            expect([estimate.rule, text.trim()]).toEqual(['empty-prompt', ''])
            return
          }
          const { pieces, done } = await collect(runner, job)
          expect(pieces.join('')).toBe(done.text)
          expect(text.trim().startsWith(done.text)).toBe(true)
          expect(done.outputTokens).toBe(Math.min(limit, estimate.promptTokens))
          expect(done.finish === 'stop').toBe(done.text === text.trim())
        },
      ),
      { numRuns: 1000 },
    )
  })

  test('calls tools that are named to it, with what fits of the question, and repeats what they say', async () => {
    const runner = echoRunner({ clock: handClock() })
    const city = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
    const tools = [{ name: 'get_weather', parameters: city }, { name: 'get_time' }]
    const calls = async (content: string, rest: Partial<Work> = {}) =>
      (await collectDeltas(runner, work(content, { tools, deltas: true, ...rest }))).gathered.toolCalls.map(
        ({ id, name, arguments: json }) => [id.split('_').at(-1), name, json],
      )
    expect(await calls('get_weather {"city": "Rome"}')).toEqual([['0', 'get_weather', '{"city":"Rome"}']])
    expect(await calls('get_weather {"town": 1}')).toEqual([['0', 'get_weather', '{"city":""}']])
    const both = 'get_weather and get_time, please'
    expect((await calls(both)).map(([index, name]) => [index, name])).toEqual([
      ['0', 'get_weather'],
      ['1', 'get_time'],
    ])
    expect(await calls(both, { parallelToolCalls: false })).toHaveLength(1)
    expect(await calls('target_time is a word')).toEqual([])
    const messages: Message[] = [
      { role: 'user', content: 'get_time' },
      { role: 'assistant', content: '', toolCalls: [{ id: 'c', name: 'get_time', arguments: '{}' }] },
      { role: 'tool', toolCallId: 'c', content: 'it is noon' },
    ]
    const { done } = await collectDeltas(runner, { ...work('', { tools, deltas: true }), messages })
    expect([done.text, done.finish]).toEqual(['it is noon', 'stop'])
  })

  test('takes its time from the clock', async () => {
    const clock = handClock()
    const runner = echoRunner({ clock, delayMs: 100, pieceMs: 10 })
    const heard: string[] = []
    const running = runner.run(work('a b c'), piece => void heard.push(textIn(piece)), new AbortController().signal)
    await clock.advance(99)
    expect(heard).toEqual([])
    await clock.advance(1)
    expect(heard).toEqual(['a'])
    await clock.advance(10)
    expect(heard).toEqual(['a', ' b'])
    await clock.advance(10)
    expect((await running).text).toBe('a b c')
  })

  test('an abort leaves no timer behind', async () => {
    const clock = handClock()
    const abort = new AbortController()
    const running = collect(echoRunner({ clock, delayMs: 100 }), work('a b'), abort.signal)
    running.catch(() => undefined)
    await clock.advance(1)
    expect(clock.waiting).toBe(1)
    abort.abort(new Error('enough'))
    await expect(running).rejects.toThrow('enough')
    expect(clock.waiting).toBe(0)
  })

  test('dies with half of the answer out', async () => {
    const pieces: string[] = []
    const runner = echoRunner({ clock: handClock(), fault: 'dies' })
    const running = runner.run(work('a b c d'), piece => void pieces.push(textIn(piece)), new AbortController().signal)
    await expect(running).rejects.toBeInstanceOf(RunnerError)
    expect(pieces.join('')).toBe('a b')
  })

  test('lies: never the truth, always the same lie', async () => {
    const runner = echoRunner({ clock: handClock(), fault: 'lies' })
    for (const truth of ['a', 'a b c', 'not not']) {
      const { done } = await collect(runner, work(truth))
      expect(done.text).not.toBe(truth)
      expect((await collect(runner, work(truth))).done).toEqual(done)
    }
  })

  test('slow: nothing for a minute, then the whole answer', async () => {
    const clock = handClock()
    const heard: string[] = []
    const runner = echoRunner({ clock, fault: 'slow' })
    const running = runner.run(work('a b'), piece => void heard.push(textIn(piece)), new AbortController().signal)
    await clock.advance(59_999)
    expect(heard).toEqual([])
    await clock.advance(1)
    expect((await running).text).toBe('a b')
  })

  test('hangs until it is aborted, or closed', async () => {
    const clock = handClock()
    const runner = echoRunner({ clock, fault: 'hangs' })
    const abort = new AbortController()
    const outcomes: unknown[] = []
    const first = collect(runner, work('a b'), abort.signal).catch(error => void outcomes.push(error))
    const second = collect(runner, work('a b')).catch(error => void outcomes.push(error))
    await clock.advance(3_600_000)
    expect(outcomes).toEqual([])
    abort.abort('stop')
    await first
    expect(outcomes).toEqual(['stop'])
    await runner.close()
    await second
    expect(outcomes[1]).toBeInstanceOf(RunnerError)
  })
})
