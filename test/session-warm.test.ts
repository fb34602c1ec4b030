/** A warm session: who is asked is known before the question, and is looked for again behind its back. */
import { expect, test } from 'vitest'
import type { Relays } from '../relays/relay.ts'
import type { Client, Route, RoutedQuestion } from '../src/client/client.ts'
import { handClock } from '../src/clock.ts'
import { openRoutes } from '../src/session/routes.ts'
import { answerOf, passTime, say, withSession } from './session-world.ts'
import { memoryWorld } from './worlds.ts'

test('from the second question on nothing is asked of a relay before the job is published', async () => {
  const words: string[] = []
  await withSession(
    () => memoryWorld(),
    [{}],
    {},
    async ({ another, world }) => {
      const relays = world.connect()
      const told: Relays = {
        ...relays,
        listen(filters, options, signal) {
          if (options.once) words.push('query')
          return relays.listen(filters, options, signal)
        },
        publish(event, options) {
          words.push(event.kind === 5050 ? 'job' : 'other')
          return relays.publish(event, options)
        },
      }
      const session = await another({ relays: told })
      await answerOf(session.ask(say('first')))
      words.length = 0
      await answerOf(session.ask(say('second')))
      expect(words.slice(0, words.indexOf('job') + 1)).toEqual(['job'])
      expect(words).not.toContain('query')
    },
  )
})

test('after a node has failed the way is looked for anew', async () => {
  let looked = 0
  const failing = { priceMsats: 1_000n, echo: { fault: 'dies' as const } }
  await withSession(
    () => memoryWorld(),
    [failing, {}],
    {},
    async ({ another, world }) => {
      const relays = world.connect()
      const listen: Relays['listen'] = (filters, options, signal) => {
        if (options.once && filters.some(({ kinds }) => kinds?.includes(31990))) looked++
        return relays.listen(filters, options, signal)
      }
      const session = await another({ relays: { ...relays, listen }, policy: 'cheapest' })
      await session.quote({})
      const before = looked
      expect((await answerOf(session.ask(say('go on')))).attempts).toHaveLength(2)
      expect(looked).toBe(before + 1)
    },
  )
})

/** A client that only finds ways, one after the other. */
function finder(candidates: number) {
  const asked: RoutedQuestion[] = []
  const client: Pick<Client, 'route'> = {
    async route(question) {
      asked.push(question)
      const one = {
        node: 'n',
        msats: 1n,
        terms: [],
        speed: {},
        score: 1,
        reasons: [],
        routers: [],
        quote: 'q',
      } as const
      return {
        ...{ by: 'own', routers: [], feeMsats: 0n, events: [], lies: [] },
        candidates: Array.from({ length: candidates }, () => ({ ...one, at: asked.length })),
      } satisfies Route
    },
  }
  return { asked, client }
}

const question = { text: 'a secret', routers: [], capMsats: 5n } as const
const numberOf = (route: Route | undefined) => (route?.candidates[0] as { at?: number } | undefined)?.at

test('a way is kept, renewed while it is used, at most 30 s old, and told nothing of the question', async () => {
  const clock = handClock()
  const { client, asked } = finder(1)
  const routes = openRoutes({ client, clock })
  const first = await routes.get(question)
  expect(numberOf(first)).toBe(1)
  expect(first?.candidates[0]?.quote).toBe('q')
  const second = await routes.get({ ...question, text: 'another' })
  expect(numberOf(second)).toBe(1)
  // A quote serves one job.
  expect(second?.candidates[0]).not.toHaveProperty('quote')
  expect(JSON.stringify(asked, (_, value) => (typeof value === 'bigint' ? String(value) : value))).not.toContain(
    'secret',
  )
  await clock.advance(25_000)
  expect(asked.length).toBeGreaterThanOrEqual(3)
  expect(numberOf(await routes.get(question))).toBe(asked.length)
  // Text is what is asked for where nothing else is said.
  const soFar = asked.length
  await routes.get({ ...question, kind: 5050 })
  expect(asked).toHaveLength(soFar)
  await routes.get({ ...question, capMsats: 6n })
  expect(asked.at(-1)?.capMsats).toBe(6n)
  // Whom nobody uses is not looked for for ever.
  await clock.advance(400_000)
  const before = asked.length
  await clock.advance(400_000)
  expect(asked.length).toBe(before)
  expect(numberOf(await routes.get(question))).toBe(before + 1)
  routes.close()
  expect(clock.waiting).toBe(0)
  expect(await routes.get(question)).toBeUndefined()
})

test('nobody is not kept, a failed way is looked for anew, and fees are paid by the question itself', async () => {
  const clock = handClock()
  const nobody = finder(0)
  const empty = openRoutes({ client: nobody.client, clock })
  await empty.get(question)
  await empty.get(question)
  expect(nobody.asked).toHaveLength(2)
  empty.close()
  const { client, asked } = finder(1)
  const routes = openRoutes({ client, clock })
  await routes.get(question)
  routes.spoil(question)
  expect(numberOf(await routes.get(question))).toBe(2)
  expect(await routes.get({ ...question, routerFeeMsats: 1n })).toBeUndefined()
  expect(asked).toHaveLength(2)
  const gone = new AbortController()
  gone.abort()
  routes.spoil(question)
  await passTime(clock, routes.get(question, gone.signal), 10)
  routes.close()
})
