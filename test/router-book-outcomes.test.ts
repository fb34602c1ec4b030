/** What became of the jobs that a router sent somewhere: only those, only by their own customers, and no word of strangers. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { textRequest } from '../kinds/index.ts'
import { graceSeconds, type JobSeen, outcomeOf } from '../src/router/outcomes.ts'
import { bookWorld, type JobTwist, price, pubOf, type World } from './router-book-world.ts'

const kind = textRequest.number
const standing = (world: World, node: string) => world.book.scored(pubOf(node), kind, 'nano', world.now())

/** One job that this router sent to a node, with all its papers unmade. */
async function routed(world: World, name: string, twist: JobTwist & { deadlineMs?: number } = {}) {
  const { customer = 'customer', node = 'node', deadlineMs } = twist
  const route = await world.route(customer, [node], deadlineMs === undefined ? {} : { deadlineMs })
  return { ...world.job(name, { ...twist, routing: route.id }), route }
}
const outcomes = (world: World) => world.labels().filter(({ topic }) => topic === 'outcome')
const trusted = { trusted: [pubOf('customer')] }

describe('jobs of this router', () => {
  test('answered and acknowledged: served, with the times that the customer measured, weighed by the customer', async () => {
    const world = await bookWorld(trusted)
    world.nodes('node')
    const one = await routed(world, 'a')
    world.hear(one.request, one.bill, one.result, one.usage, one.ack)
    await world.settle()
    expect(world.troubles()).toEqual([])
    expect(outcomes(world)).toMatchObject([
      {
        ...{
          label: 'served',
          node: pubOf('node'),
          model: 'nano',
          weight: 1,
          routing: one.route.id,
          customer: pubOf('customer'),
        },
        ...{ firstMs: 120, ms: 1_120, outputTokens: 11, checks: ['in-time', 'acknowledged'] },
        evidence: [one.ack.id, one.result.id, one.usage.id],
      },
    ])
    expect(standing(world, 'node').track).toMatchObject({ s: 1, f: 0, firstUs: 120_000, tokenUs: 100_000 })
  })

  test('neither word nor answer by the deadline: failed, and the score falls', async () => {
    const world = await bookWorld(trusted)
    world.nodes('node')
    const before = standing(world, 'node').score
    const one = await routed(world, 'a', { deadlineMs: 30_000 })
    world.hear(one.request)
    await world.settle(30_000)
    expect(outcomes(world)).toEqual([])
    await world.settle((graceSeconds + 5) * 1_000)
    expect(outcomes(world)).toMatchObject([
      { label: 'failed', code: 'silent', weight: 1, checks: ['published', 'unanswered'] },
    ])
    expect(standing(world, 'node').score).toBeLessThan(before)
  })

  test('billed, not paid and not served: nobody’s fault but the customer’s', async () => {
    const world = await bookWorld(trusted)
    world.nodes('node')
    const one = await routed(world, 'a', { deadlineMs: 30_000, verdict: 'failed' })
    world.hear(one.request, one.bill, one.ack)
    await world.settle(7_200_000)
    expect(outcomes(world)).toEqual([])
  })

  test('paid and not served: failed, whatever the node had said', async () => {
    const world = await bookWorld(trusted)
    world.nodes('node')
    const one = await routed(world, 'a', { deadlineMs: 30_000 })
    world.hear(one.request, one.bill, one.zap)
    await world.settle(60_000)
    expect(outcomes(world)).toMatchObject([{ label: 'failed', code: 'paid' }])
  })

  test('an answer that nobody acknowledges says nothing', async () => {
    const world = await bookWorld(trusted)
    world.nodes('node')
    const one = await routed(world, 'a', { deadlineMs: 30_000 })
    world.hear(one.request, one.result)
    await world.settle(7_200_000)
    expect(outcomes(world)).toEqual([])
  })

  test('a complaint about an answer that is there is a dispute, even where the customer calls it nothing', async () => {
    for (const verdict of ['dispute', 'failed'] as const) {
      const world = await bookWorld(trusted)
      world.nodes('node')
      const one = await routed(world, 'a', { verdict, ack: { code: 'wrong' } })
      world.hear(one.request, one.ack, one.result)
      await world.settle()
      expect(outcomes(world)).toMatchObject([{ label: 'disputed', code: 'wrong' }])
    }
  })

  test('while the relays were away nobody’s silence is told', async () => {
    const world = await bookWorld(trusted)
    world.nodes('node')
    const one = await routed(world, 'a', { deadlineMs: 30_000 })
    world.hear(one.request)
    await world.settle(10_000)
    world.hub.down()
    world.hub.up()
    await world.settle(7_200_000)
    expect(outcomes(world)).toEqual([])
  })

  test('nothing came, says the customer, and nothing comes within a moment: failed', async () => {
    const world = await bookWorld(trusted)
    world.nodes('node')
    const one = await routed(world, 'a', { verdict: 'failed' })
    world.hear(one.request, one.ack)
    await world.settle(10_000)
    expect(outcomes(world)).toEqual([])
    await world.settle(10_000)
    expect(outcomes(world)).toMatchObject([{ label: 'failed', code: 'silent' }])
  })

  test('a second job for one route, another node than was named, or another customer: no experience of this router', async () => {
    const world = await bookWorld(trusted)
    world.nodes('node', 'other')
    const route = await world.route('customer', ['node'])
    const elsewhere = world.job('b', { node: 'other', routing: route.id })
    const stranger = world.job('c', { customer: 'stranger', routing: route.id })
    const unrouted = world.job('d')
    for (const { request, result, ack } of [elsewhere, stranger, unrouted]) world.hear(request, result, ack)
    await world.settle()
    expect(outcomes(world)).toEqual([])
  })

  test('each job has one outcome, whatever is said later', async () => {
    const world = await bookWorld(trusted)
    world.nodes('node')
    const one = await routed(world, 'a')
    const again = world.sign({ ...one.ack, created_at: one.ack.created_at + 1 }, 'customer')
    world.hear(one.request, one.result, one.ack, again, one.result, one.ack)
    await world.settle()
    await world.restart()
    world.hear(one.request, one.result, one.ack, again)
    await world.settle()
    expect(outcomes(world)).toHaveLength(1)
  })
})

describe('whose word counts', () => {
  test('a stranger’s word weighs nothing: neither praise nor slander moves a score', async () => {
    const world = await bookWorld()
    world.nodes('node')
    const before = standing(world, 'node')
    for (let i = 0; i < 20; i++) {
      const one = await routed(world, `a${i}`, { customer: `stranger ${i}`, verdict: i % 2 ? 'ok' : 'dispute' })
      world.hear(one.request, one.bill, one.zap, one.result, one.usage, one.ack)
    }
    const silent = await routed(world, 'silent', { customer: 'stranger x', deadlineMs: 1_000 })
    world.hear(silent.request)
    await world.settle(60_000)
    expect(outcomes(world)).toHaveLength(21)
    expect(outcomes(world).every(({ weight }) => weight === 0)).toBe(true)
    const { score, stage, track } = standing(world, 'node')
    expect([score, track.s, track.f, track.firstUs]).toEqual([before.score, 0, 0, 0])
    expect(stage).not.toBe('ejected')
  })

  test('who paid this router’s fee counts; who was answered on credit does not yet', async () => {
    const world = await bookWorld()
    world.nodes('node')
    const bolt11 = world.job('fee').bill.tags.find(tag => tag[2]?.startsWith('ln'))?.[2] ?? ''
    for (const [customer, fee] of [
      ['payer', { msats: 10n }],
      ['debtor', { msats: 10n, bolt11 }],
    ] as const) {
      const route = await world.route(customer, ['node'], { fee })
      const one = world.job(customer, { customer, routing: route.id })
      world.hear(one.request, one.result, one.ack)
    }
    await world.settle()
    expect(world.troubles()).toEqual([])
    expect(outcomes(world).map(({ customer, weight }) => [customer, weight])).toEqual([
      [pubOf('payer'), 1],
      [pubOf('debtor'), 0],
    ])
  })

  test('money that reached a node of a trusted customer makes others heard a little', async () => {
    const world = await bookWorld(trusted)
    world.nodes('node')
    world.nodes('elsewhere')
    for (const [name, customer, node] of [
      ['a', 'customer', 'node'],
      ['b', 'neighbour', 'node'],
      ['c', 'customer', 'elsewhere'],
    ] as const) {
      const one = world.job(name, { customer, node })
      world.hear(one.request, one.usage, one.ack)
    }
    await world.settle()
    const one = await routed(world, 'd', { customer: 'neighbour' })
    world.hear(one.request, one.result, one.ack)
    await world.settle()
    const [said] = outcomes(world)
    expect(said?.weight).toBeGreaterThan(0)
    expect(said?.weight).toBeLessThan(1)
  })

  test('keys that pay each other in a circle reach nobody: 100 of them wash, and no score moves', async () => {
    const world = await bookWorld(trusted)
    world.nodes('node', 'sybil')
    const honest = world.job('honest')
    world.hear(honest.request, honest.usage, honest.ack)
    for (let i = 0; i < 100; i++) {
      const one = await routed(world, `wash ${i}`, { customer: `washer ${i}`, node: 'sybil', msats: price * 1_000n })
      world.hear(one.request, one.bill, one.zap, one.result, one.usage, one.ack)
      await world.settle(1_000)
    }
    expect(world.labels().filter(({ label }) => label === 'settled')).toHaveLength(101)
    expect(outcomes(world)).toHaveLength(100)
    const { score, track } = standing(world, 'sybil')
    expect([score, track.s]).toEqual([standing(world, 'node').score, 0])
  })
})

describe('outcomes, as a function', () => {
  const seen: fc.Arbitrary<JobSeen> = fc.record(
    {
      deadlineAt: fc.nat(1_000),
      ...{ spoke: fc.boolean(), metered: fc.boolean(), paid: fc.boolean(), watched: fc.boolean() },
      ...{ resultAt: fc.nat(2_000), saidAt: fc.nat(2_000) },
      verdict: fc.constantFrom('ok', 'dispute', 'failed'),
    },
    { requiredKeys: ['deadlineAt', 'spoke', 'metered', 'paid', 'watched'] },
  )

  test('no praise without an answer, no failure with one, no blame for silence that nobody watched: 5,000 runs', () => {
    fc.assert(
      fc.property(seen, fc.nat(3_000), (one, now) => {
        const outcome = outcomeOf(one, now)
        const answered = one.resultAt !== undefined || one.metered
        if (outcome?.label === 'served') expect(answered && one.verdict === 'ok').toBe(true)
        if (outcome?.label === 'disputed')
          expect(answered && one.verdict !== undefined && one.verdict !== 'ok').toBe(true)
        if (outcome?.label === 'failed') {
          expect(answered).toBe(false)
          expect(one.paid || !one.spoke).toBe(true)
          if (one.verdict === undefined) expect(now > one.deadlineAt && (one.paid || one.watched)).toBe(true)
        }
        // Time alone takes nothing back.
        if (outcome) expect(outcomeOf(one, now + 1_000)).toEqual(outcome)
      }),
      { numRuns: 5_000 },
    )
  })
})
