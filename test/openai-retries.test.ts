/** Who tries again means the same question and pays once; who asks twice means two. */
import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { handClock } from '../src/clock.ts'
import { createFetch } from '../src/openai/index.ts'
import { canonical } from '../src/openai/tries.ts'
import { all, answer, clientOf, failure, type Job, obey, pieces, post, say, sessionDouble } from './openai-double.ts'

const call = { model: 'm', messages: [{ role: 'user' as const, content: 'Hi' }] }
const keysOf = (session: { asked: readonly { key?: string }[] }) => session.asked.map(({ key }) => key)
const tried = (count: number, more: Record<string, string> = {}) => ({
  headers: { 'x-stainless-retry-count': String(count), ...more },
})

/** Fails so often, then answers. */
const failing = (times: number, code: string, msats = 0n) => {
  let left = times
  return (job: Job) => (left-- > 0 ? job.end(failure(code, undefined, msats)) : say(job, pieces('fine')))
}

describe('the official library', () => {
  test.each(['busy', 'no-node', 'runner', 'deadline'])('three tries after %s are one question', async code => {
    const session = sessionDouble(failing(2, code))
    const { choices } = await clientOf(session).chat.completions.create(call)
    expect(choices[0]?.message.content).toBe('fine')
    expect(session.asked.length).toBe(3)
    expect(new Set(keysOf(session)).size).toBe(1)
  })

  test('three tries of a stream are one question too', async () => {
    const session = sessionDouble(failing(2, 'busy'))
    await all(await clientOf(session).chat.completions.create({ ...call, stream: true }))
    expect([session.asked.length, new Set(keysOf(session)).size]).toEqual([3, 1])
  })

  test.each(['budget', 'no-model', 'payment-unknown', 'cancelled', 'too-long'])('%s is not tried again', async code => {
    const session = sessionDouble(failing(9, code))
    await expect(clientOf(session).chat.completions.create(call)).rejects.toMatchObject({ name: 'Error' })
    expect(session.asked.length).toBe(1)
  })

  test('where money has left nothing is tried again, and whoever tries all the same hears the same', async () => {
    const session = sessionDouble(failing(9, 'runner', 1n))
    await expect(clientOf(session).chat.completions.create(call)).rejects.toMatchObject({ status: 502 })
    expect(session.asked.length).toBe(1)
    const fetch = createFetch({ session })
    const statuses = []
    for (const count of [0, 1, 2]) statuses.push((await post(fetch, '/chat/completions', call, tried(count))).status)
    expect(statuses).toEqual([502, 502, 502])
    expect(session.asked.length).toBe(2)
  })

  test('two calls are two questions, one after the other or side by side', async () => {
    const session = sessionDouble(obey)
    const client = clientOf(session)
    await client.chat.completions.create(call)
    await Promise.all([client.chat.completions.create(call), client.chat.completions.create(call)])
    expect(new Set(keysOf(session)).size).toBe(3)
    expect(session.began.length).toBe(3)
  })

  test('side by side, each tries its own again', async () => {
    const session = sessionDouble(failing(2, 'busy'))
    const client = clientOf(session)
    await Promise.all([client.chat.completions.create(call), client.chat.completions.create(call)])
    expect(session.asked.length).toBe(4)
    expect(new Set(keysOf(session)).size).toBe(2)
  })

  test('of several that failed, a try goes on with the one that was tried so often', async () => {
    const session = sessionDouble(failing(9, 'busy'))
    const fetch = createFetch({ session })
    for (const count of [0, 0, 1, 2]) await post(fetch, '/chat/completions', call, tried(count))
    const [one, two, ...rest] = keysOf(session)
    expect(two).not.toBe(one)
    expect(rest).toEqual([one, one])
  })

  test('an answer that was handed over and lost on the way is handed over again', async () => {
    const session = sessionDouble(obey)
    const fetch = createFetch({ session })
    const first = await (await post(fetch, '/chat/completions', call, tried(0))).text()
    const again = await (await post(fetch, '/chat/completions', call, tried(1))).text()
    expect(JSON.parse(again).choices).toEqual(JSON.parse(first).choices)
    expect(session.began.length).toBe(1)
  })
})

describe('time limits of a library', () => {
  const limited = async (seconds: number, afterMs: number) => {
    const clock = handClock()
    const session = sessionDouble(job => void job)
    const fetch = createFetch({ session, clock })
    const control = new AbortController()
    const labels = { 'x-stainless-timeout': String(seconds) }
    const first = post(fetch, '/chat/completions', call, { ...tried(0, labels), signal: control.signal })
    const lost = expect(first).rejects.toMatchObject({ name: 'AbortError' })
    while (session.began.length === 0) await Promise.resolve()
    await clock.advance(afterMs)
    control.abort()
    await lost
    return { clock, session, fetch, labels }
  }

  test('a try that ran out of time goes on for the next one, and is paid once', async () => {
    const { clock, session, fetch, labels } = await limited(30, 30_000)
    await clock.advance(8_000)
    const second = post(fetch, '/chat/completions', call, tried(1, labels))
    while (session.asked.length < 2) await Promise.resolve()
    const [job] = session.began
    await clock.advance(60_000)
    expect(job?.withdrawn.aborted).toBe(false)
    if (job) say(job, pieces('late'))
    expect(await (await second).json()).toMatchObject({ choices: [{ message: { content: 'late' } }] })
    expect(session.began.length).toBe(1)
  })

  test('a try that comes while the first one runs has the question: the first one may leave', async () => {
    const session = sessionDouble(job => void job)
    const fetch = createFetch({ session })
    const control = new AbortController()
    const first = post(fetch, '/chat/completions', call, { ...tried(0), signal: control.signal })
    while (session.asked.length === 0) await Promise.resolve()
    const second = post(fetch, '/chat/completions', call, tried(1))
    while (session.asked.length === 1) await Promise.resolve()
    control.abort()
    await expect(first).rejects.toThrow()
    const [job] = session.began
    expect(job?.withdrawn.aborted).toBe(false)
    if (job) say(job, pieces('fine'))
    expect((await second).status).toBe(200)
    expect(session.began.length).toBe(1)
  })

  test('a library that aborted and tries again is answered under the same name', async () => {
    const { session, fetch } = await limited(30, 5)
    const second = post(fetch, '/chat/completions', call, tried(1))
    while (session.began.length === 1) await Promise.resolve()
    const [, job] = session.began
    if (job) say(job, pieces('fine'))
    expect((await second).status).toBe(200)
    expect(new Set(keysOf(session)).size).toBe(1)
  })

  test('and is withdrawn when none comes', async () => {
    const { clock, session } = await limited(30, 30_000)
    await clock.advance(9_999)
    expect(session.began[0]?.withdrawn.aborted).toBe(false)
    await clock.advance(1)
    expect(session.began[0]?.withdrawn.aborted).toBe(true)
  })

  test('does not count once the head is out: who leaves a stream then is not waited for', async () => {
    const clock = handClock()
    const session = sessionDouble(job => job.tell({ moment: 'delta', delta: { text: 'Good' } }))
    const control = new AbortController()
    const init = { ...tried(0, { 'x-stainless-timeout': '30' }), signal: control.signal }
    await post(createFetch({ session, clock }), '/chat/completions', { ...call, stream: true }, init)
    await clock.advance(31_000)
    control.abort()
    expect(session.began[0]?.withdrawn.aborted).toBe(true)
  })

  test('a signal that lives as long as its program holds nothing of calls that ended', async () => {
    const { signal } = new AbortController()
    const fetch = createFetch({ session: sessionDouble(failing(1, 'busy')) })
    for (const stream of [false, true, false])
      await (await post(fetch, '/chat/completions', { ...call, stream }, { signal })).text()
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test('a person who leaves before is not waited for', async () => {
    const { session } = await limited(30, 29_999)
    expect(session.began[0]?.withdrawn.aborted).toBe(true)
  })
})

describe('other programs', () => {
  test('who calls again after a failure that invited it means the same; after an answer another one', async () => {
    const session = sessionDouble(failing(1, 'busy'))
    const fetch = createFetch({ session })
    for (const status of [429, 200, 200]) expect((await post(fetch, '/chat/completions', call)).status).toBe(status)
    const [a, b, c] = keysOf(session)
    expect(a).toBe(b)
    expect(c).not.toBe(b)
    expect(session.began.length).toBe(3)
  })

  test('two minutes later it is another one', async () => {
    const clock = handClock()
    const session = sessionDouble(failing(1, 'busy'))
    const fetch = createFetch({ session, clock })
    await post(fetch, '/chat/completions', call)
    await clock.advance(120_000)
    await post(fetch, '/chat/completions', call)
    expect(new Set(keysOf(session)).size).toBe(2)
  })

  test('who aborts and asks again means another one', async () => {
    const session = sessionDouble(job => void job)
    const fetch = createFetch({ session })
    const control = new AbortController()
    const first = post(fetch, '/chat/completions', call, { signal: control.signal })
    while (session.began.length === 0) await Promise.resolve()
    control.abort()
    await expect(first).rejects.toThrow()
    const second = post(fetch, '/chat/completions', call)
    while (session.began.length === 1) await Promise.resolve()
    const [, job] = session.began
    job?.end(answer(job, [{ text: 'new' }]))
    expect((await second).status).toBe(200)
    expect(new Set(keysOf(session)).size).toBe(2)
  })

  test('an idempotency key names the question in every process', async () => {
    const session = sessionDouble(obey)
    const headers = { 'idempotency-key': 'order 7' }
    for (const stream of [false, true]) {
      const fetch = createFetch({ session })
      await (await post(fetch, '/chat/completions', { ...call, stream }, { headers })).text()
      await (await post(fetch, '/chat/completions', { stream, ...call }, { headers })).text()
    }
    expect(new Set(keysOf(session)).size).toBe(1)
    expect(session.began.length).toBe(1)
    await post(createFetch({ session }), '/chat/completions', { ...call, seed: 1 }, { headers })
    await post(createFetch({ session }), '/chat/completions', call, { headers: { 'idempotency-key': 'order 8' } })
    expect(session.began.length).toBe(3)
  })
})

describe('the name of a question', () => {
  test('does not depend on the order of members, and on every value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const turned = (value: unknown): unknown =>
          Array.isArray(value)
            ? value.map(turned)
            : typeof value === 'object' && value !== null
              ? Object.fromEntries(
                  Object.entries(value)
                    .reverse()
                    .map(([name, one]) => [name, turned(one)]),
                )
              : value
        expect(canonical(turned(a), false)).toBe(canonical(a, false))
        const same = canonical(a, false) === canonical(b, false)
        const equal =
          JSON.stringify(JSON.parse(canonical(a, false))) === JSON.stringify(JSON.parse(canonical(b, false)))
        expect(same).toBe(equal)
        expect(JSON.parse(canonical(a, false))).toEqual(JSON.parse(JSON.stringify(a)))
      }),
      { numRuns: 2_000 },
    )
  })
})
