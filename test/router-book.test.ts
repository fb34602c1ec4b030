/** What a router hears becomes labels in one chain, whatever the order in which it comes. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Event } from '../kinds/index.ts'
import { bookWorld, hashOf, type Papers, price, pubOf } from './router-book-world.ts'

const all = ({ request, bill, result, usage, ack, zap }: Papers): Event[] => [request, bill, result, usage, ack, zap]

describe('payments', () => {
  test('a zap receipt with the public bill is settled, and names what it rests on', async () => {
    const world = await bookWorld()
    world.nodes('node')
    const one = world.job('a')
    world.hear(one.request, one.bill, one.zap)
    await world.settle()
    expect(world.troubles()).toEqual([])
    expect(world.labels()).toMatchObject([
      {
        ...{
          topic: 'payment',
          label: 'settled',
          node: pubOf('node'),
          job: one.request.id,
          customer: pubOf('customer'),
        },
        ...{ evidence: [one.zap.id, one.bill.id], msats: price, hash: hashOf('a'), failed: [], seq: 0, prev: '' },
      },
    ])
  })

  test('without the node’s word it waits half a minute for it, then says what it knows, and later what it learns', async () => {
    const world = await bookWorld()
    world.nodes('node')
    const one = world.job('a')
    world.hear(one.request, one.zap)
    await world.settle(20_000)
    expect(world.labels()).toEqual([])
    await world.settle(20_000)
    expect(world.labels().map(({ label }) => label)).toEqual(['receipt-valid'])
    world.hear(one.usage)
    await world.settle()
    expect(world.labels().map(({ label }) => label)).toEqual(['receipt-valid', 'settled'])
  })

  test('a preimage without a zap receipt is settled when the node names the hash', async () => {
    const world = await bookWorld()
    world.nodes('node')
    const one = world.job('a')
    world.hear(one.request, one.ack)
    await world.settle(60_000)
    expect(world.labels()).toEqual([])
    world.hear(one.usage)
    await world.settle()
    expect(world.labels()).toMatchObject([{ label: 'settled', evidence: [one.ack.id, one.usage.id] }])
  })

  test('nothing is said of a node that was never announced, until it is', async () => {
    const world = await bookWorld()
    const one = world.job('a')
    world.hear(...all(one))
    await world.settle(60_000)
    expect(world.labels()).toEqual([])
    world.nodes('node')
    await world.settle()
    expect(world.labels()).toMatchObject([{ label: 'settled' }])
  })

  test('one payment for two jobs is a duplicate at the second', async () => {
    const world = await bookWorld()
    world.nodes('node')
    const [one, two] = [world.job('a'), world.job('b', { payment: 'a' })]
    for (const { request, usage, ack } of [one, two]) world.hear(request, usage, ack)
    await world.settle()
    expect(world.labels()).toMatchObject([
      { label: 'settled', job: one.request.id },
      { label: 'duplicate', job: two.request.id, failed: ['unused'] },
    ])
  })

  test('a forgery is called so once, and gives way to the honest receipt', async () => {
    const world = await bookWorld()
    world.nodes('node')
    const one = world.job('a')
    const { kind, created_at, tags, content } = one.zap
    const forged = [1, 2, 3].map(n => world.sign({ kind, created_at: created_at + n, tags, content }, 'stranger'))
    world.hear(one.request, ...forged)
    await world.settle()
    expect(world.labels().map(({ label }) => label)).toEqual(['forged'])
    world.hear(one.bill, one.zap)
    await world.settle()
    expect(world.labels().map(({ label }) => label)).toEqual(['forged', 'settled'])
  })

  test('labels of other routers are not copied', async () => {
    const [world, other] = [await bookWorld(), await bookWorld({ router: 'other' })]
    other.nodes('node')
    const one = other.job('a')
    other.hear(...all(one))
    await other.settle()
    expect(other.labels()).toHaveLength(1)
    world.nodes('node')
    world.hear(...other.published)
    await world.settle(60_000)
    expect(world.labels()).toEqual([])
  })

  test('in whatever order the papers come, the last word is the same: 1,000 orders', { timeout: 60_000 }, async () => {
    const base = await bookWorld()
    const one = base.job('a')
    const papers = [base.announcement('node'), ...all(one)]
    const order = fc.shuffledSubarray(papers, { minLength: papers.length })
    await fc.assert(
      fc.asyncProperty(order, fc.boolean(), async (events, waits) => {
        const world = await bookWorld()
        for (const event of events) {
          world.hear(event)
          if (waits) await world.settle(10_000)
        }
        await world.settle()
        const said = world.labels()
        expect(said.at(-1)).toMatchObject({ label: 'settled', hash: one.hash })
        expect(said.filter(({ label }) => label === 'settled')).toHaveLength(1)
        expect(said.every(({ label }) => label === 'settled' || label === 'receipt-valid')).toBe(true)
        await world.book.close()
      }),
      { numRuns: 1_000 },
    )
  })
})
