/** Faults that a router finds by itself in what it hears: it tries first, and says only what is proven. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Event, isSealed } from '../kinds/index.ts'
import { defaultParams, paramsHash, verifyFault } from '../src/ledger/index.ts'
import { faultTools } from '../src/router/fault-tools.ts'
import { openStatements } from '../src/router/statements.ts'
import { pool } from './faults-honest.ts'
import { lie, proven } from './faults-proven.ts'
import {
  askedOf,
  billOf,
  commitOf,
  digest,
  jobOf,
  keys,
  labelOf,
  NOW,
  pub,
  quoteOf,
  resultOf,
  routeOf,
  seedOf,
  usageOf,
  wordOf,
} from './faults-world.ts'
import { faultsWorld } from './router-faults-world.ts'

const job = jobOf()
const asked = askedOf()
const params = paramsHash(defaultParams)
const byNode = { accused: pub('node') }
const byRouter = { accused: pub('router') }
const first = routeOf(asked, { params, seq: 0, prev: '' })
const follows = (change: object = {}) =>
  routeOf(askedOf({ maxTokens: 8 }), { params, seq: 1, prev: first.id, ...change })
const of = (says: string) => proven.find(one => one.says === says)?.events ?? []

async function court(...args: Parameters<typeof faultsWorld>) {
  const world = await faultsWorld(...args)
  world.nodes('node')
  world.routers('router')
  return {
    ...world,
    /** Hears, and says what was found. */
    async found(...events: Event[]) {
      for (const event of events) {
        world.hear(event)
        await world.settle(100)
      }
      await world.judged()
      return world.evidence().map(({ rule, accused }) => ({ rule, accused }))
    },
  }
}

describe('found', () => {
  const guilty: readonly [string, string, { accused: string }, Event[]][] = [
    ['two answers', 'E1', byNode, [resultOf(job.id), resultOf(job.id, { text: 'Magic.' })]],
    ['two receipts of a job', 'E1', byNode, [usageOf(job.id), usageOf(job.id, { msats: 2_000n })]],
    ['a bond that was locked twice', 'E1', byNode, of('a bond locked twice in one entry')],
    ['two routes of a request', 'E1', byRouter, [routeOf(asked), routeOf(asked, { seq: 2, prev: digest('q') })]],
    ['a log that forks', 'E1', byRouter, of('a log that forks between a label and a route')],
    ['an invoice above its amount', 'E3', byNode, [billOf(job.id, { invoiced: 2_000n })]],
    [
      'an invoice above its amount, in a result',
      'E3',
      byNode,
      [resultOf(job.id, { msats: 9n, ...bolt11Of(billOf(job.id, { msats: 10n })) })],
    ],
    ['a bill and then no room', 'E10', byNode, [billOf(job.id), wordOf(job.id, { code: 'busy' })]],
    ['another order than its dice', 'E9', byRouter, [routeOf(asked, { params, rank: order => order.toReversed() })]],
    ['another seed than it was bound to', 'E9', byRouter, [first, follows({ seed: seedOf(9) })]],
    ['a request that nobody signed', 'E9', byRouter, [routeOf({ ...asked, sig: '0'.repeat(128) })]],
  ]
  test.each(guilty)('%s: %s', async (_, rule, { accused }, events) => {
    const world = await court()
    expect(await world.found(...events)).toEqual([{ rule, accused }])
    expect(world.verdicts()).toMatchObject([{ rule, accused, proven: true }])
    const [evidence] = world.evidence()
    expect(evidence && (await verifyFault(evidence, faultTools(keys.verify))).ok).toBe(true)
    expect(world.stage('node')).toBe(accused === pub('node') ? 'banned' : 'new')
    // Said once, whatever else comes.
    expect((await world.found(...events, resultOf(job.id, { text: 'More magic.' }))).length).toBeLessThanOrEqual(2)
  })

  test('a payment of another router that its own evidence refutes, where the sample falls on it', async () => {
    for (const sampled of [1, 0]) {
      const world = await court({ sampled })
      const relays = world.hub.connect()
      await relays.publish(lie.receipt)
      const label = labelOf(lie.context.job.id, {
        ...{ node: lie.context.node, evidence: [lie.receipt.id], msats: 21_000n, seq: 4, prev: digest('before') },
      })
      const suspected = world.found(label)
      await world.clock.advance(6_000)
      expect(await suspected).toEqual(sampled === 1 ? [{ rule: 'E8', accused: pub('router') }] : [])
      expect(world.book.offends(pub('router'))).toBe(sampled === 1)
      await relays.close()
    }
  })

  test('nothing where the evidence of a payment is on no relay', async () => {
    const world = await court({ sampled: 1 })
    const suspected = world.found(labelOf(job.id, { evidence: [digest('lost')], seq: 4, prev: digest('before') }))
    await world.clock.advance(6_000)
    expect(await suspected).toEqual([])
  })
})

describe('not found', () => {
  const innocent: readonly [string, Event[]][] = [
    ['the same answer again', [30, 31, 32].map(at => resultOf(job.id, {}, { at: NOW + at }))],
    [
      'two sealed answers',
      [resultOf(job.id, {}, { to: 'customer' }), resultOf(job.id, { text: 'x' }, { to: 'customer' })],
    ],
    ['two quotes of one request: prices change', [quoteOf(asked), quoteOf(asked, { msats: 2_000n }, { at: NOW + 9 })]],
    ['answers of somebody unknown', [resultOf(job.id, {}, { by: 'x' }), resultOf(job.id, { text: 'y' }, { by: 'x' })]],
    ['a bill that was renewed', [billOf(job.id), billOf(job.id, { payment: 'two' }, { at: NOW + 700 })]],
    ['work that broke off after its bill', [billOf(job.id), wordOf(job.id, { code: 'runner' })]],
    [
      'an honest log',
      [first, follows(), labelOf(job.id, { topic: 'outcome', label: 'served', seq: 2, prev: digest('r') })],
    ],
    ['a policy that nobody knows', [routeOf(asked, { params, policy: 'mine', rank: order => order.toReversed() })]],
    ['parameters that nobody knows', [routeOf(asked, { rank: order => order.toReversed() })]],
  ]
  test.each(innocent)('%s', async (_, events) => {
    const world = await court()
    expect(await world.found(...events, ...events)).toEqual([])
    expect([world.verdicts(), world.faults(), world.troubles()]).toEqual([[], [], []])
  })

  test('anything in the words of honest people, in whatever order they come', { timeout: 60_000 }, async () => {
    const all = pool.filter(keys.verify)
    expect(all.filter(isSealed).length).toBeGreaterThan(10)
    const honest = [pub('node'), pub('router')]
    await fc.assert(
      fc.asyncProperty(fc.nat(), async luck => {
        const order = new Map(all.map(event => [event, digest(`${luck} ${event.id}`)]))
        const world = await court({ sampled: 1 })
        const relays = world.hub.connect()
        for (const event of all) void relays.publish(event)
        await world.settle(100)
        world.hear(...all.toSorted((a, b) => ((order.get(a) ?? '') < (order.get(b) ?? '') ? -1 : 1)))
        const idle = world.judged()
        await world.clock.advance(20_000)
        await idle
        // Strangers lie in these stories too, under their own names.
        const accused = [...world.evidence(), ...world.verdicts()].map(one => one.accused)
        expect(accused.filter(one => honest.includes(one))).toEqual([])
        expect(honest.some(world.book.offends)).toBe(false)
        await world.book.close()
      }),
      { numRuns: 12 },
    )
  })
})

test('statements are kept within their bounds, the oldest makes room', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(9), fc.nat(3_000)), { maxLength: 60 }), words => {
      const kept = openStatements(4, 8_000)
      for (const [place, length] of words) {
        const event = { ...job, content: 'x'.repeat(length) }
        const before = kept.of(`${place}`)
        expect(kept.keep(`${place}`, event)).toBe(before)
        const there = Array.from({ length: 10 }, (_, at) => kept.of(`${at}`)).filter(one => one !== undefined)
        expect(there.length).toBeLessThanOrEqual(4)
        expect(there.reduce((sum, one) => sum + one.content.length, 0)).toBeLessThanOrEqual(8_000)
      }
    }),
  )
  const long = openStatements()
  long.keep('a', { ...job, content: 'x'.repeat(40_000) })
  expect([long.of('a'), commitOf(1).length]).toEqual([undefined, 64])
})

function bolt11Of(bill: Event) {
  const bolt11 = bill.tags.find(([name]) => name === 'amount')?.[2]
  return bolt11 === undefined ? {} : { bolt11 }
}
