/** However an answer comes in pieces, a program is shown the same one. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Delta, gather } from '../kinds/index.ts'
import { createFetch } from '../src/openai/index.ts'
import { openShown } from '../src/openai/shown.ts'
import { merged } from '../src/openai/steps.ts'
import { all, answer, clientOf, type Job, post, sessionDouble } from './openai-double.ts'

const logprob = fc.record({ token: fc.string({ maxLength: 3 }), logprob: fc.constant(-1), top: fc.constant([]) })
const wholes = fc.record({
  text: fc.string({ maxLength: 30 }),
  calls: fc.array(fc.record({ name: fc.constantFrom('f', 'g'), arguments: fc.string({ maxLength: 12 }) }), {
    maxLength: 3,
  }),
  logprobs: fc.array(logprob, { maxLength: 4 }),
})
type Whole = typeof wholes extends fc.Arbitrary<infer T> ? T : never

/** Cuts a text at random places. */
const cut = (text: string, at: readonly number[]): string[] => {
  const places = [...new Set(at.map(one => one % (text.length + 1)))].sort((a, b) => a - b)
  return [...places, text.length].map((end, index) => text.slice(index === 0 ? 0 : places[index - 1], end))
}

function deltasOf({ text, calls, logprobs }: Whole, at: readonly number[]): Delta[] {
  const words: Delta[] = cut(text, at).map(part => ({ text: part }))
  const said = calls.flatMap((call, index): Delta[] => [
    { toolCall: { index, id: `call_${index}`, name: call.name } },
    ...cut(call.arguments, at).map(part => ({ toolCall: { index, arguments: part } })),
  ])
  return [...words, ...(logprobs.length > 0 ? [{ logprobs }] : []), ...said]
}
const cuts = fc.array(fc.nat(40), { maxLength: 6 })

describe('what is shown', () => {
  test('any cutting of an answer gives the same message, streamed or whole', async () => {
    let play: (job: Job) => void = () => {}
    const client = clientOf(sessionDouble(job => play(job)))
    await fc.assert(
      fc.asyncProperty(wholes, cuts, fc.nat(20), async (whole, at, heard) => {
        const deltas = deltasOf(whole, at)
        play = job => {
          // Some of it is never told: it comes with the whole answer.
          for (const delta of deltas.slice(0, heard)) job.tell({ moment: 'delta', delta })
          job.end(answer(job, deltas))
        }
        const call = { model: 'm', messages: [{ role: 'user' as const, content: 'x' }], logprobs: true }
        const { choices } = await client.chat.completions.create(call)
        const stream = await client.chat.completions.create({ ...call, stream: true })
        const chunks = await all(stream)
        const told = gather(
          chunks.flatMap(chunk =>
            chunk.choices.flatMap(({ delta, logprobs }) => [
              { text: delta.content ?? '', logprobs: (logprobs?.content ?? []).map(one => ({ ...one, top: [] })) },
              ...(delta.tool_calls ?? []).map(({ index, id, function: of }) => ({
                toolCall: { index, arguments: of?.arguments ?? '', ...(id ? { id, name: of?.name ?? '' } : {}) },
              })),
            ]),
          ),
        )
        const message = choices[0]?.message
        expect(told.text).toBe(whole.text)
        expect(message?.content ?? '').toBe(whole.text)
        const calls = whole.calls.map((one, index) => ({ id: `call_${index}`, ...one }))
        expect(told.toolCalls).toEqual(calls)
        expect(
          (message?.tool_calls ?? []).map(one => (one.type === 'function' ? { id: one.id, ...one.function } : one)),
        ).toEqual(calls)
        expect(told.logprobs.map(({ token }) => token)).toEqual(whole.logprobs.map(({ token }) => token))
        expect(choices[0]?.logprobs?.content?.length).toBe(whole.logprobs.length)
      }),
      { numRuns: 1_000 },
    )
  })

  test('a new beginning fits or is a conflict, and never takes back a letter', () => {
    const words = fc.array(fc.constantFrom('a', 'b', 'ab'), { maxLength: 5 })
    fc.assert(
      fc.property(words, words, words, (before, anew, after) => {
        const shown = openShown()
        let seen = ''
        let conflict = false
        const take = (moment: 'delta' | 'replaced', text: string) => {
          if (conflict) return
          const next = shown.take({ moment, delta: { text } })
          if (next === 'conflict') conflict = true
          else seen += next.map(delta => delta.text ?? '').join('')
        }
        for (const text of before) take('delta', text)
        take('replaced', anew.join(''))
        for (const text of after) take('delta', text)
        const whole = [...anew, ...after].join('')
        const end = conflict ? 'conflict' : shown.finish({ text: whole, toolCalls: [], logprobs: [] })
        if (whole.startsWith(before.join(''))) {
          expect(end).not.toBe('conflict')
          expect(seen + (end === 'conflict' ? '' : end.map(({ text }) => text).join(''))).toBe(whole)
        } else expect(end).toBe('conflict')
      }),
      { numRuns: 3_000 },
    )
  })

  test('calls that were shown otherwise are a conflict', () => {
    const call = { index: 0, id: 'a', name: 'f', arguments: '{}' }
    const conflicts = [
      { toolCalls: [{ id: 'b', name: 'f', arguments: '{}' }] },
      { toolCalls: [{ id: 'a', name: 'g', arguments: '{}' }] },
      { toolCalls: [{ id: 'a', name: 'f', arguments: '{"x' }] },
      { toolCalls: [] },
    ]
    for (const { toolCalls } of conflicts) {
      const shown = openShown()
      shown.take({ moment: 'delta', delta: { toolCall: call } })
      expect(shown.finish({ text: '', toolCalls, logprobs: [] })).toBe('conflict')
    }
  })
})

describe('several answers side by side', () => {
  test('keep their own order, lose nothing, and an error is told', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(fc.nat(), { maxLength: 5 }), { maxLength: 4 }), async lists => {
        async function* tell(index: number, list: readonly number[]): AsyncGenerator<[number, number], undefined> {
          for (const one of list) yield [index, one]
          return undefined
        }
        const steps = merged(lists.map((list, index) => tell(index, list)))
        const got: [number, number][] = []
        for (let next = await steps.next(); !next.done; next = await steps.next()) got.push(next.value)
        expect(lists.map((_, index) => got.filter(([of]) => of === index).map(([, one]) => one))).toEqual(lists)
      }),
      { numRuns: 1_000 },
    )
    // biome-ignore lint/correctness/useYield: it fails before it says anything.
    async function* broken(): AsyncGenerator<number, undefined> {
      throw new Error('broken')
    }
    await expect(merged([broken()]).next()).rejects.toThrow('broken')
  })

  test('a failure of one ends the stream of all', async () => {
    const session = sessionDouble(job => {
      job.tell({ moment: 'delta', delta: { text: 'x' } })
      if (job.question.key?.endsWith(':0')) return
      job.end({ ok: false, code: 'runner', says: 'Fell over.', msats: 0n, ms: 0 })
    })
    const body = { model: 'm', messages: [{ role: 'user', content: 'x' }], n: 2, stream: true }
    const text = await (await post(createFetch({ session }), '/chat/completions', body)).text()
    expect(text).toContain('Fell over.')
    expect(text).not.toContain('[DONE]')
  })
})
