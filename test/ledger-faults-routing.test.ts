/** A router that chose otherwise than it had bound itself to: every condition of E9. */
import { expect, test } from 'vitest'
import type { Event } from '../kinds/index.ts'
import { asked } from './faults-proven.ts'
import { askedOf, commitOf, digest, failing, jobOf, labelOf, pub, routeOf, seedOf, tools } from './faults-world.ts'

const router = { accused: pub('router') }
const e9 = (...events: Event[]) => failing('E9', events, router)
const backwards = (order: string[]) => order.toReversed()

test('needs a decision of the accused', async () => {
  expect(await e9(asked)).toBe('routing')
  expect(await e9(routeOf(asked, { rank: backwards }, { by: 'other router' }))).toBe('routing')
})

test('a decision that follows is no fault, for any request, place and policy name', async () => {
  for (let at = 0; at < 50; at++) {
    const request = askedOf({ maxTokens: at + 1 })
    expect(await e9(routeOf(request, { seq: at + 1 }))).toBe('other-choice')
  }
})

test('each thing that does not follow is one', async () => {
  expect(await e9(routeOf(asked, { rank: backwards }))).toBe('')
  expect(await e9(routeOf(asked, { rank: order => order.slice(1) }))).toBe('')
  expect(await e9(routeOf(asked, { start: 0.25 }))).toBe('')
  expect(await e9(routeOf(asked, { lane: 'exploration' }))).toBe('')
})

test('policies and parameters that the judge does not know prove nothing', async () => {
  const blind = { ...tools, redecide: () => undefined }
  expect(await failing('E9', [routeOf(asked, { rank: backwards })], router, blind)).toBe('other-choice')
})

test('a decision without its request, a refusal, and candidates of others are no draw', async () => {
  const bare = routeOf(asked, { rank: backwards })
  const without = { ...bare, tags: bare.tags.filter(([name]) => name !== 'request') }
  const lax = { ...tools, verify: () => true }
  expect(await failing('E9', [without], router, lax)).toBe('other-choice')
  const refusal = { code: 'unpaid-fee', says: 'The fee was not paid.' }
  expect(await e9(routeOf(asked, { rank: () => [], refusal }))).toBe('other-choice')
  const own = routeOf(asked)
  const content = JSON.parse(own.content) as { candidates: { node: string }[] }
  const via = content.candidates.map(one => ({ ...one, via: pub('other router') })).toReversed()
  const tags = [...own.tags.filter(([name]) => name !== 'p'), ['p', asked.pubkey]]
  for (const { node } of via as unknown[] as { node: string }[]) tags.push(['p', node])
  const passedOn = { ...own, tags, content: JSON.stringify({ ...content, candidates: via }) }
  expect(await failing('E9', [passedOn], router, lax)).toBe('other-choice')
})

test('a seed is held against the entry before it, where that binds one', async () => {
  const entry = (change: object, options = {}) =>
    labelOf(jobOf().id, { topic: 'outcome', label: 'served', ...change }, options)
  const next = (before: Event, change: object = {}) =>
    e9(before, routeOf(asked, { prev: before.id, seq: 1, ...change }))
  expect(await next(entry({ commit: commitOf(1) }))).toBe('other-choice')
  expect(await next(entry({ commit: commitOf(2) }))).toBe('')
  expect(await next(entry({}))).toBe('other-choice')
  expect(await next(entry({ commit: commitOf(2) }, { by: 'other router' }))).toBe('other-choice')
  expect(await next(entry({ commit: commitOf(9) }), { seq: 2 })).toBe('other-choice')
  expect(await next(entry({ commit: commitOf(9) }), { prev: digest('another') })).toBe('other-choice')
  expect(await next(routeOf(askedOf({ maxTokens: 9 }), { seq: 0, prev: '', seed: seedOf(0) }))).toBe('other-choice')
  expect(await next(routeOf(askedOf({ maxTokens: 9 }), { seq: 0, prev: '', commit: commitOf(9) }))).toBe('')
})

test('a request that nobody signed was made up', async () => {
  expect(await e9(routeOf({ ...asked, sig: `${asked.sig.slice(0, -1)}${asked.sig.endsWith('0') ? '1' : '0'}` }))).toBe(
    '',
  )
})
