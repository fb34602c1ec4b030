/** Audits: drawn by a seed that was committed to before the answer and revealed after it. */
import { describe, expect, test } from 'vitest'
import { type Event, textRequest } from '../kinds/index.ts'
import { defaultParams, drawn } from '../src/ledger/index.ts'
import type { Auditor } from '../src/router/audits.ts'
import { commitTo, seedOf } from '../src/router/seeds.ts'
import { bookWorld, type JobTwist, pubOf, secretOf, type World } from './router-book-world.ts'

const trusted = [pubOf('customer')]
const audits = (world: World) => world.labels().filter(({ topic }) => topic === 'audit')
const standing = (world: World) => world.book.scored(pubOf('node'), textRequest.number, 'nano', world.now())

async function answered(world: World, name: string, twist: JobTwist = {}) {
  const route = await world.route('customer', ['node'])
  const one = world.job(name, { ...twist, routing: route.id })
  world.hear(one.request, one.bill, one.result, one.usage, one.ack)
  await world.settle(1_000)
  return one
}

describe('audits', () => {
  test('every answer of a newcomer is computed again, by the seed of the first entry after it', async () => {
    const seen: [Event, Event, string][] = []
    const auditor: Auditor = async (job, result, node) => {
      seen.push([job, result, node])
      return 'passed'
    }
    const world = await bookWorld({ trusted, auditor })
    world.nodes('node')
    const one = await answered(world, 'a')
    expect(seen).toEqual([[one.request, one.result, pubOf('node')]])
    // Entry 0 is the route, 1 what came after the answer.
    expect(audits(world)).toMatchObject([
      {
        ...{
          label: 'passed',
          node: pubOf('node'),
          job: one.request.id,
          evidence: [one.result.id],
          checks: ['recomputed'],
        },
        seed: seedOf(secretOf('router'), 1),
      },
    ])
    expect(world.routes()[0]?.commit).toBe(commitTo(audits(world)[0]?.seed ?? ''))
    expect(standing(world)).toMatchObject({ stage: 'probation', track: { streak: 1 } })
  })

  test('a failed one is said, and weighs; what the auditor cannot tell is not', async () => {
    for (const [verdict, labels] of [
      ['failed', ['failed']],
      ['unable', []],
    ] as const) {
      const world = await bookWorld({ trusted, auditor: async () => verdict })
      world.nodes('node')
      const before = standing(world).factors.V
      await answered(world, 'a')
      expect(audits(world).map(({ label }) => label)).toEqual(labels)
      if (verdict === 'failed') expect(standing(world).factors.V).toBeLessThan(before)
    }
  })

  test('an auditor that throws is trouble and no label', async () => {
    const auditor: Auditor = async () => {
      throw new Error('no model here')
    }
    const world = await bookWorld({ trusted, auditor })
    world.nodes('node')
    await answered(world, 'a')
    expect(audits(world)).toEqual([])
    expect(world.troubles()).toMatchObject([{ says: 'Error: no model here' }])
  })

  test('a proven node is audited when its draw says so, and only then', async () => {
    const world = await bookWorld({ trusted, auditor: async () => 'passed' })
    world.nodes('node')
    const jobs = []
    for (let i = 0; i < 60; i++) jobs.push(await answered(world, `job ${i}`))
    expect(standing(world).stage).toBe('proven')
    const said = new Map(audits(world).map(label => [label.job, label]))
    const late = jobs.slice(defaultParams.probationJobs)
    const audited = late.filter(({ request }) => said.has(request.id))
    expect(audited.length).toBeLessThan(late.length / 2)
    expect(jobs.slice(0, defaultParams.probationJobs).every(({ request }) => said.has(request.id))).toBe(true)
    // With a share of one in ten or a bit more, what was drawn is below a half for sure.
    for (const { request, result } of audited)
      expect(drawn(result.id, said.get(request.id)?.seed ?? '', 0.5)).toBe(true)
  })

  test('jobs that this router did not send there, and answers of others, are not audited', async () => {
    let asked = 0
    const auditor: Auditor = async () => {
      asked++
      return 'failed'
    }
    const world = await bookWorld({ trusted, auditor })
    world.nodes('node', 'other')
    const unrouted = world.job('a')
    world.hear(unrouted.request, unrouted.result, unrouted.usage, unrouted.ack)
    const route = await world.route('customer', ['node'])
    const one = world.job('b', { routing: route.id })
    world.hear(one.request, world.sign({ ...one.result, created_at: one.result.created_at + 1 }, 'other'))
    await world.route('customer', ['node'])
    await world.settle(10_000)
    expect(asked).toBe(0)
  })

  test('an audit that was drawn and not ended is ended by the next process', async () => {
    const world = await bookWorld({ trusted, auditor: (_job, _result, _node, signal) => until(signal) })
    world.nodes('node')
    const one = await answered(world, 'a')
    await world.restart(false, { auditor: async () => 'passed' })
    await world.settle(1_000)
    expect(audits(world)).toMatchObject([{ label: 'passed', job: one.request.id, seed: seedOf(secretOf('router'), 1) }])
    await world.restart(false, { auditor: async () => 'failed' })
    await world.settle(10_000)
    expect(audits(world)).toHaveLength(1)
  })
})

/** Never ends by itself. */
const until = (signal: AbortSignal) =>
  new Promise<'unable'>(resolve => signal.addEventListener('abort', () => resolve('unable')))
