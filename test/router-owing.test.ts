/** Nodes that took money for more answers than they can work on: no more customers until they have delivered. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { textRequest } from '../kinds/index.ts'
import { defaultParams } from '../src/ledger/index.ts'
import { openOwing } from '../src/router/owing.ts'
import { decide, openDice, policies } from '../src/routing/index.ts'
import { bookWorld, pubOf, type World } from './router-book-world.ts'

const slots = { slots: { total: 2, busy: 0, queued: 0 } }

async function paidJobs(world: World, count: number, from = 0) {
  const jobs = []
  for (let i = from; i < from + count; i++) {
    const route = await world.route('customer', ['node'], { deadlineMs: 300_000 })
    const one = world.job(`job ${i}`, { routing: route.id })
    world.hear(one.request, one.bill, one.zap)
    jobs.push(one)
  }
  await world.settle(1_000)
  return jobs
}

function decided(world: World) {
  world.hear(world.state('node', slots))
  const market = world.book.market(textRequest.number, 'nano')
  const wants = { kind: textRequest.number, capMsats: 1e9, privacy: 0 as const, allow: [], deny: [], explore: false }
  const policy = policies.get('default')
  if (!policy) throw new Error('no policy')
  const { order, refusal } = decide(market, wants, policy, openDice('00'.repeat(32), '11'.repeat(32)), defaultParams)
  return refusal?.code ?? order.map(node => (node === pubOf('node') ? 'node' : 'other')).join()
}

describe('a node over its credit', () => {
  test('is refused by name while it owes more paid answers than it has slots, and not after it delivered', async () => {
    const world = await bookWorld({ trusted: [pubOf('customer')] })
    world.nodes('node')
    const jobs = await paidJobs(world, 2)
    expect(decided(world)).toBe('node')
    jobs.push(...(await paidJobs(world, 1, 2)))
    expect(world.labels().filter(({ label }) => label === 'settled')).toHaveLength(3)
    expect(decided(world)).toBe('over-credit')
    for (const one of jobs.slice(0, 1)) world.hear(one.result)
    expect(decided(world)).toBe('node')
    expect(world.troubles()).toEqual([])
  })

  test('is over it no longer when the time for its answers is over: then they count against it', async () => {
    const world = await bookWorld({ trusted: [pubOf('customer')] })
    world.nodes('node')
    await paidJobs(world, 3)
    expect(decided(world)).toBe('over-credit')
    await world.settle(330_000)
    expect(decided(world)).toBe('node')
    expect(world.labels().filter(({ label, code }) => label === 'failed' && code === 'paid')).toHaveLength(3)
  })

  test('jobs that this router did not send there, and unpaid ones, are nothing that it owes', async () => {
    const world = await bookWorld()
    world.nodes('node')
    for (let i = 0; i < 4; i++) {
      const stray = world.job(`stray ${i}`)
      world.hear(stray.request, stray.bill, stray.zap)
      const route = await world.route('customer', ['node'])
      const unpaid = world.job(`unpaid ${i}`, { routing: route.id })
      world.hear(unpaid.request, unpaid.bill)
    }
    await world.settle(1_000)
    expect(decided(world)).toBe('node')
  })

  const step = fc.record({ job: fc.nat(9), node: fc.constantFrom('a', 'b'), owed: fc.boolean() })
  test('what is owed is what was paid and not delivered, in any order: 1,000 courses', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(6), (steps, slots) => {
        const owing = openOwing()
        const model = { a: new Set<number>(), b: new Set<number>() }
        for (const { job, node, owed } of steps) {
          const of = model[node as 'a' | 'b']
          expect(owing.stands(`${node} ${job}`, node, owed)).toBe(of.has(job) !== owed)
          if (owed) of.add(job)
          else of.delete(job)
        }
        for (const node of ['a', 'b'] as const) expect(owing.isOver(node, slots)).toBe(model[node].size > slots)
      }),
      { numRuns: 1_000 },
    )
  })
})
