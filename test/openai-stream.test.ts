/** Chat completions as they grow. */
import { describe, expect, test } from 'vitest'
import type { Delta } from '../kinds/index.ts'
import { handClock } from '../src/clock.ts'
import { createFetch } from '../src/openai/index.ts'
import {
  all,
  answer,
  clientOf,
  failure,
  type Job,
  node,
  obey,
  pieces,
  post,
  say,
  sessionDouble,
} from './openai-double.ts'

const hello = [{ role: 'user' as const, content: 'Good morning' }]
const asked = { model: 'm', messages: hello, stream: true as const }

/** The chunks that a body holds. */
const chunksIn = (text: string) =>
  text
    .split('\n\n')
    .filter(event => event.startsWith('data: {'))
    .map(event => JSON.parse(event.slice(6)))

/** Reads a body piece by piece. */
function reading(response: Response) {
  const reader = response.body?.getReader()
  const decoder = new TextDecoder()
  return {
    async next() {
      const got = await reader?.read()
      return got?.done === false ? decoder.decode(got.value) : undefined
    },
    cancel: () => reader?.cancel(),
  }
}

describe('a stream of a chat', () => {
  test('says the role first, the reason last, and ends as it should', async () => {
    const response = await post(createFetch({ session: sessionDouble(obey) }), '/chat/completions', asked)
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    expect(response.headers.get('x-gridstr-node')).toBe(node)
    const text = await response.text()
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
    const chunks = chunksIn(text)
    expect(chunks.map(({ choices }) => choices[0].delta)).toEqual([
      { role: 'assistant', content: '', refusal: null },
      ...[{ content: 'Good' }, { content: ' mor' }, { content: 'ning' }, {}],
    ])
    expect(chunks.map(({ choices }) => choices[0].finish_reason)).toEqual([null, null, null, null, 'stop'])
    expect(new Set(chunks.map(({ id, object, model }) => `${id} ${object} ${model}`)).size).toBe(1)
    expect(chunks[0]).toMatchObject({ id: `chatcmpl-${'1'.padStart(64, '0')}`, object: 'chat.completion.chunk' })
    expect(chunks.some(chunk => 'usage' in chunk)).toBe(false)
  })

  test('counts tokens and cost in a chunk of its own, only where that was asked for', async () => {
    const stream = await clientOf(sessionDouble(obey)).chat.completions.create({
      ...asked,
      stream_options: { include_usage: true },
    })
    const chunks = await all(stream)
    expect(chunks.slice(0, -1).every(({ usage, choices }) => usage === null && choices.length === 1)).toBe(true)
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10, cost_msats: 22_000 },
    })
  })

  test('tells calls of tools piece by piece, each under its index', async () => {
    const deltas: Delta[] = [
      { text: 'Let me see.' },
      { toolCall: { index: 0, id: 'a', name: 'one' } },
      { toolCall: { index: 0, arguments: '{"x"' } },
      { toolCall: { index: 0, arguments: ':1}' } },
      { toolCall: { index: 1, id: 'b', name: 'two', arguments: '{}' } },
    ]
    const session = sessionDouble(job => say(job, deltas))
    const runner = clientOf(session).chat.completions.stream({ model: 'm', messages: hello })
    const final = await runner.finalChatCompletion()
    expect(final.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: 'Let me see.',
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'one', arguments: '{"x":1}' } },
          { id: 'b', type: 'function', function: { name: 'two', arguments: '{}' } },
        ],
      },
    })
  })

  test('tells n answers side by side, each with its role and reason', async () => {
    const session = sessionDouble(obey)
    const stream = await clientOf(session).chat.completions.create({ ...asked, n: 2, seed: 1 })
    const texts = ['', '']
    const roles: number[] = []
    const reasons: number[] = []
    for await (const { choices } of stream)
      for (const { index, delta, finish_reason } of choices) {
        if (delta.role) roles.push(index)
        if (finish_reason) reasons.push(index)
        texts[index] += delta.content ?? ''
      }
    expect(texts).toEqual(['Good morning 1', 'Good morning 2'])
    expect([roles.sort(), reasons.sort()]).toEqual([
      [0, 1],
      [0, 1],
    ])
  })

  test('weighs tokens', async () => {
    const stream = await clientOf(sessionDouble(obey)).chat.completions.create({
      ...asked,
      logprobs: true,
      top_logprobs: 1,
    })
    const tokens: string[] = []
    for await (const { choices } of stream)
      tokens.push(...(choices[0]?.logprobs?.content ?? []).map(({ token }) => token))
    expect(tokens).toEqual(['Good', ' mor', 'ning'])
  })

  test('a failure before the first piece is an ordinary error with its status', async () => {
    const session = sessionDouble(job => {
      job.tell({ moment: 'asked', request: job.request, node })
      job.end(failure('budget', 'The budget is spent.'))
    })
    await expect(clientOf(session).chat.completions.create(asked)).rejects.toMatchObject({
      ...{ status: 402, code: 'insufficient_quota', message: '402 The budget is spent.' },
    })
    expect(session.asked.length).toBe(1)
  })

  test('a failure after it is an error in the stream', async () => {
    const session = sessionDouble(job => {
      job.tell({ moment: 'delta', delta: { text: 'Go' } })
      job.end(failure('runner', 'The model fell over.', 5n))
    })
    const stream = await clientOf(session).chat.completions.create(asked)
    const seen: unknown[] = []
    const reading = async () => {
      for await (const { choices } of stream) seen.push(choices[0]?.delta.content)
    }
    await expect(reading()).rejects.toMatchObject({ code: 'runner', message: 'The model fell over.' })
    expect(seen).toEqual(['', 'Go'])
  })
})

describe('an answer that begins anew', () => {
  const replacing = (text: string, rest: string) => (job: Job) => {
    job.tell({ moment: 'delta', delta: { text: 'Good' } })
    job.tell({ moment: 'replaced', delta: { text } })
    job.tell({ moment: 'delta', delta: { text: rest } })
    job.end(answer(job, [{ text: text + rest }]))
  }

  test('goes on where what was shown is its beginning, even where it is behind', async () => {
    for (const [text, rest] of [
      ['Good mor', 'ning'],
      ['Go', 'od morning'],
    ] as const) {
      const stream = await clientOf(sessionDouble(replacing(text, rest))).chat.completions.create(asked)
      const chunks = await all(stream)
      expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('Good morning')
    }
  })

  test('is an error where it is another one, and asking again brings the answer that was bought', async () => {
    const session = sessionDouble(job => {
      job.tell({ moment: 'delta', delta: { text: 'Good' } })
      job.tell({ moment: 'replaced', delta: { text: 'Bad' } })
    })
    const client = clientOf(session)
    const stream = await client.chat.completions.create(asked)
    await expect(all(stream)).rejects.toMatchObject({ code: 'replaced' })
    const [job] = session.began
    expect(job?.withdrawn.aborted).toBe(false)
    job?.end(answer(job, [{ text: 'Bad morning' }]))
    const again = await client.chat.completions.create({ model: 'm', messages: hello })
    expect(again.choices[0]?.message.content).toBe('Bad morning')
    expect(session.began.length).toBe(1)
  })

  test('what was not told piece by piece is told at the end', async () => {
    const session = sessionDouble(job => {
      job.tell({ moment: 'delta', delta: { text: 'Good' } })
      job.end(answer(job, [{ text: 'Good morning' }, { toolCall: { index: 0, id: 'a', name: 'f', arguments: '{}' } }]))
    })
    const chunks = await all(await clientOf(session).chat.completions.create(asked))
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('Good morning')
    expect(chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])).toMatchObject([{ index: 0, id: 'a' }])
  })
})

describe('time and pace', () => {
  test('a silent node is no dead connection: the head goes out, and comments follow', async () => {
    const clock = handClock()
    const session = sessionDouble(job => job.tell({ moment: 'asked', request: job.request, node }))
    const fetch = createFetch({ session, clock })
    const head = post(fetch, '/chat/completions', asked)
    await clock.advance(14_999)
    let here = false
    void head.then(() => {
      here = true
    })
    await clock.advance(0)
    expect(here).toBe(false)
    await clock.advance(1)
    const response = await head
    expect(response.headers.get('x-request-id')).toBe(session.began[0]?.request)
    const body = reading(response)
    for (let times = 0; times < 3; times++) {
      const next = body.next()
      await clock.advance(15_000)
      expect(await next).toBe(': keep-alive\n\n')
    }
    const [job] = session.began
    if (job) say(job, pieces('Hi'))
    expect(await body.next()).toContain('"role":"assistant"')
    expect(clock.waiting).toBe(0)
  })

  test('who leaves leaves no timer behind, before the head and after it', async () => {
    for (const told of [true, false]) {
      const clock = handClock()
      const session = sessionDouble(job => told && job.tell({ moment: 'delta', delta: { text: 'Good' } }))
      const control = new AbortController()
      const { signal } = control
      const head = post(createFetch({ session, clock }), '/chat/completions', asked, { signal })
      const waits = told ? reading(await head) : undefined
      await waits?.next()
      const next = waits?.next() ?? head
      const lost = expect(next).rejects.toMatchObject({ name: 'AbortError' })
      while (clock.waiting === 0) await Promise.resolve()
      control.abort()
      expect(clock.waiting).toBe(0)
      await lost
    }
  })

  test('nothing is read ahead of who reads but a step', async () => {
    const session = sessionDouble(job => say(job, pieces('a'.repeat(4_000))))
    const response = await post(createFetch({ session }), '/chat/completions', asked)
    const body = reading(response)
    await body.next()
    await body.next()
    await handClock().advance(0)
    expect(session.read()).toBeLessThan(10)
  })

  test('who cancels the body, or leaves the loop, or fires the signal, withdraws the job', async () => {
    const begin = (job: Job) => {
      job.tell({ moment: 'asked', request: job.request, node })
      job.tell({ moment: 'delta', delta: { text: 'Good' } })
    }
    const cancelled = sessionDouble(begin)
    const body = reading(await post(createFetch({ session: cancelled }), '/chat/completions', asked))
    await body.next()
    await body.cancel()
    expect(cancelled.began[0]?.withdrawn.aborted).toBe(true)

    const left = sessionDouble(begin)
    for await (const chunk of await clientOf(left).chat.completions.create(asked)) if (chunk) break
    expect(left.began[0]?.withdrawn.aborted).toBe(true)

    const fired = sessionDouble(begin)
    const control = new AbortController()
    const signal = control.signal
    const aborted = reading(await post(createFetch({ session: fired }), '/chat/completions', asked, { signal }))
    await aborted.next()
    control.abort()
    await expect(aborted.next()).rejects.toMatchObject({ name: 'AbortError' })
    expect(fired.began[0]?.withdrawn.aborted).toBe(true)
  })

  test('an abort before the answer rejects as fetch does and withdraws the job', async () => {
    for (const stream of [true, false]) {
      const session = sessionDouble(() => {})
      const control = new AbortController()
      const call = clientOf(session).chat.completions.create({ ...asked, stream }, { signal: control.signal })
      while (session.began.length === 0) await Promise.resolve()
      control.abort()
      await expect(call).rejects.toMatchObject({ name: 'Error', message: 'Request was aborted.' })
      expect(session.began.map(({ withdrawn }) => withdrawn.aborted)).toEqual([true])
      const early = post(createFetch({ session }), '/chat/completions', asked, { signal: AbortSignal.abort() })
      await expect(early).rejects.toMatchObject({ name: 'AbortError' })
      expect(session.began.length).toBe(1)
    }
  })
})
