/** Trials in a router's book: who is tried, what is said of it, and what it may cost. */
import { describe, expect, test } from 'vitest'
import { type Event, textRequest, textResult } from '../kinds/index.ts'
import { defaultParams } from '../src/ledger/index.ts'
import { seedOf } from '../src/router/seeds.ts'
import type { TrialReason, Tried, Trier } from '../src/router/trials.ts'
import { bookWorld, keys, price, pubOf, secretOf, type World } from './router-book-world.ts'

const params = { ...defaultParams, probationJobs: 3 }
const budget = { msatsPerDay: 1_000n * price, jobMsats: price }
const minute = 60_000

type Behaviour = 'honest' | 'lies' | 'silent' | 'unable'

/** Asks nobody: makes the papers that a trial leaves behind, as each node would. */
function trierOf(behaviours: { readonly [name: string]: Behaviour }) {
  const names = new Map(Object.keys(behaviours).map(name => [pubOf(name), name]))
  const asked: { node: string; why: TrialReason; capMsats: bigint }[] = []
  const results: Event[] = []
  const trier: Trier = async ({ pubkey, capMsats }, why) => {
    const name = names.get(pubkey) ?? ''
    const behaviour = behaviours[name] ?? 'unable'
    const at = 1_800_000_000 + asked.length
    asked.push({ node: name, why, capMsats })
    const inputs = [{ type: 'text' as const, data: `trial ${asked.length}` }]
    const request = { inputs, relays: [], providers: [pubkey], stream: true, receipt: false }
    const job = keys.sign(textRequest.write(request, at), keys.newSecret())
    if (behaviour === 'silent') return { verdict: 'silent', job, msats: 0n }
    if (behaviour === 'unable') return { verdict: 'unable', msats: 0n }
    const answer = { job: job.id, customer: job.pubkey, text: behaviour }
    const result = keys.sign(textResult.write(answer, at), secretOf(name))
    results.push(result)
    const how = { job, result, msats: capMsats, firstMs: 100.4, ms: 900, outputTokens: 9 }
    return { verdict: behaviour === 'honest' ? 'passed' : 'failed', ...how } satisfies Tried
  }
  return { trier, asked, results, names: () => asked.map(({ node }) => node) }
}

const worldOf = (trier: Trier, more: Parameters<typeof bookWorld>[0] = {}) =>
  bookWorld({ params, trier, trials: budget, ...more, trusted: [pubOf('customer')] })

/** Moves time in small steps, with everybody alive. */
async function live(world: World, names: readonly string[], ms: number) {
  for (let passed = 0; passed < ms; passed += minute) {
    for (const name of names) world.hear(world.state(name))
    await world.settle(Math.min(minute, ms - passed))
  }
}
const stageOf = (world: World, name: string) =>
  world.book.scored(pubOf(name), textRequest.number, 'nano', world.now()).stage
const about = (world: World, name: string) => world.labels().filter(({ node }) => node === pubOf(name))

describe('trials', () => {
  test('without any customer the honest are proven after as many as it takes, the liar and the silent never', async () => {
    const all = trierOf({ fast: 'honest', liar: 'lies', slow: 'honest', mute: 'silent' })
    const world = await worldOf(all.trier)
    world.nodes('fast', 'liar', 'slow', 'mute')
    await live(world, ['fast', 'liar', 'slow', 'mute'], 30 * minute)
    expect(world.troubles()).toEqual([])
    expect(['fast', 'liar', 'slow', 'mute'].map(name => stageOf(world, name))).toEqual([
      ...['proven', 'probation', 'proven', 'probation'],
    ])
    for (const name of ['fast', 'slow']) {
      const words = about(world, name).map(({ topic, label }) => `${topic} ${label}`)
      expect(words).toEqual(
        Array.from({ length: params.probationJobs }, () => ['outcome served', 'audit passed']).flat(),
      )
    }
    expect(new Set(about(world, 'liar').map(({ topic, label }) => `${topic} ${label}`))).toEqual(
      new Set(['outcome served', 'audit failed']),
    )
    expect(new Set(about(world, 'mute').map(({ label, code, weight }) => `${label} ${code} ${weight}`))).toEqual(
      new Set(['failed silent 1']),
    )
    // Who fails waits longer each time: a liar earns no living by trials.
    expect(all.names().filter(name => name === 'liar').length).toBeLessThan(6)
    const [served, passed] = about(world, 'fast')
    expect(served).toMatchObject({ firstMs: 100, ms: 900, outputTokens: 9, evidence: [all.results[0]?.id], weight: 1 })
    expect(passed).toMatchObject({ checks: ['recomputed'], job: served?.job, evidence: [all.results[0]?.id] })
    expect(passed?.seed).toBeUndefined()
  })

  test('the most senior comes first, and who was there before a restart goes on where it was', async () => {
    const all = trierOf({ old: 'honest', young: 'honest', late: 'honest' })
    const world = await worldOf(all.trier, { params: { ...params, cohort: 2 } })
    for (const name of ['old', 'young', 'late']) {
      world.nodes(name)
      await world.settle(1_000)
    }
    await live(world, ['old', 'young', 'late'], 2 * minute)
    expect(new Set(all.names())).toEqual(new Set(['old', 'young']))
    expect(all.names()[0]).toBe('old')
    await world.restart()
    await live(world, ['late', 'young', 'old'], 60 * minute)
    expect(['old', 'young'].map(name => stageOf(world, name))).toEqual(['proven', 'proven'])
    expect(all.names().indexOf('late')).toBeGreaterThan(4)
  })

  test('after a restart whoever had begun goes on before those who are older', async () => {
    const all = trierOf({ older: 'honest', begun: 'honest' })
    const world = await worldOf(all.trier, { params: { ...params, cohort: 1 } })
    world.hear(world.announcement('older'))
    await world.settle(1_000)
    world.nodes('begun')
    await live(world, ['begun'], 2 * minute)
    world.hear(world.state('older'))
    await world.settle(1_000)
    expect(new Set(all.names())).toEqual(new Set(['begun']))
    await world.restart()
    await live(world, ['older', 'begun'], 10 * minute)
    expect(all.names().slice(0, 3)).toEqual(['begun', 'begun', 'begun'])
  })

  test('nothing is said of whom nobody can judge, and its place is free for others', async () => {
    const all = trierOf({ odd: 'unable', plain: 'honest' })
    const world = await worldOf(all.trier, { params: { ...params, cohort: 1 } })
    world.nodes('odd')
    await world.settle(1_000)
    world.nodes('plain')
    await live(world, ['odd', 'plain'], 9 * minute)
    expect(about(world, 'odd')).toEqual([])
    expect(stageOf(world, 'plain')).toBe('proven')
    expect(all.names().filter(name => name === 'odd')).toHaveLength(1)
  })

  test('without a trier, with dead nodes, or without money for their price, nobody is asked', async () => {
    const all = trierOf({ node: 'honest' })
    const world = await worldOf(all.trier)
    world.nodes('node')
    // Its lease has run out.
    await world.settle(1)
    const before = all.asked.length
    await world.settle(30 * minute)
    expect(all.asked.length).toBeLessThanOrEqual(before + 4)
    const poor = trierOf({ node: 'honest' })
    const other = await worldOf(poor.trier, { trials: {} })
    other.nodes('node')
    await live(other, ['node'], 5 * minute)
    expect(poor.asked).toEqual([])
    const none = await bookWorld({ params, trials: budget })
    none.nodes('node')
    await live(none, ['node'], 5 * minute)
    expect(none.labels()).toEqual([])
  })

  test('the day’s money holds over a restart, and what a killed process had begun is spent', async () => {
    const all = trierOf({ a: 'honest', b: 'honest' })
    let hanging = true
    const trier: Trier = (node, why, signal) => {
      const tried = all.trier(node, why, signal)
      return hanging ? new Promise(() => {}) : tried
    }
    const limits = { msatsPerDay: 4n * price, jobMsats: price }
    const world = await worldOf(trier, { trials: limits })
    world.nodes('a', 'b')
    await live(world, ['a', 'b'], 2 * minute)
    expect(all.asked).toHaveLength(2)
    hanging = false
    await world.restart(true)
    world.nodes('a', 'b')
    await live(world, ['a', 'b'], 20 * minute)
    expect(all.asked).toHaveLength(4)
    expect(all.asked.every(({ capMsats }) => capMsats === price)).toBe(true)
    await world.restart()
    world.nodes('a', 'b')
    await live(world, ['a', 'b'], 20 * minute)
    expect(all.asked).toHaveLength(4)
  })

  test('a proven node whose drawn answer is sealed is tried at once, by the seed that drew it', async () => {
    const all = trierOf({ node: 'honest' })
    const world = await worldOf(all.trier)
    world.nodes('node')
    await live(world, ['node'], 6 * minute)
    expect(stageOf(world, 'node')).toBe('proven')
    const earlier = all.asked.length
    const answers = new Map<string, string>()
    for (let i = 0; i < 40; i++) {
      const route = await world.route('customer', ['node'])
      const one = world.job(`job ${i}`, { routing: route.id })
      answers.set(one.result.id, one.request.id)
      world.hear(world.state('node'), one.request, one.bill, one.result, one.usage, one.ack)
      await world.settle(5_000)
    }
    const drawn = all.asked.slice(earlier)
    expect(drawn.length).toBeGreaterThan(0)
    expect(new Set(drawn.map(({ why }) => why))).toEqual(new Set(['drawn']))
    const said = world.labels().filter(({ topic, seed }) => topic === 'audit' && seed !== undefined)
    expect(said).toHaveLength(drawn.length)
    for (const { job, evidence, seed, label } of said) {
      const [result = '', answer = ''] = evidence
      expect(label).toBe('passed')
      expect(all.results.some(({ id }) => id === result)).toBe(true)
      expect(answers.has(answer)).toBe(true)
      expect(answers.get(answer)).not.toBe(job)
      expect(Array.from({ length: 400 }, (_, seq) => seedOf(secretOf('router'), seq))).toContain(seed)
    }
  })

  test('with proven nodes the traffic earns the trials of newcomers; refused requests earn none', async () => {
    const all = trierOf({ node: 'honest', late: 'honest' })
    const world = await worldOf(all.trier, { params: { ...params, explore: 0.5 } })
    world.nodes('node')
    await live(world, ['node'], 6 * minute)
    expect(stageOf(world, 'node')).toBe('proven')
    world.nodes('late')
    const refusal = { code: 'over-cap', says: 'too dear' }
    for (let i = 0; i < 8; i++) await world.route('customer', [], { refusal })
    await world.settle(5_000)
    expect(all.names()).not.toContain('late')
    for (let i = 0; i < 2; i++) await world.route('customer', ['node'])
    await world.settle(5_000)
    expect(all.names().filter(name => name === 'late')).toHaveLength(1)
  })

  test('whoever failed queues anew: one who came later and has not failed is tried first', async () => {
    const all = trierOf({ liar: 'lies', first: 'honest', second: 'honest' })
    const world = await worldOf(all.trier, { params: { ...params, cohort: 1 } })
    for (const name of ['liar', 'first', 'second']) {
      world.hear(world.announcement(name))
      await world.settle(1_000)
    }
    world.hear(world.state('liar'))
    await world.settle(5_000)
    await live(world, ['liar', 'first', 'second'], 20 * minute)
    const names = all.names()
    expect(names.slice(0, 5)).toEqual(['liar', 'first', 'first', 'first', 'second'])
  })

  test('sealed answers of newcomers to customers cause no trials: whoever asks a lot sets no pace', async () => {
    const all = trierOf({ node: 'honest', old: 'honest' })
    const world = await worldOf(all.trier, { auditor: async () => 'unable', params: { ...params, probationJobs: 50 } })
    world.nodes('node')
    for (let i = 0; i < 30; i++) {
      const route = await world.route('customer', ['node'])
      const one = world.job(`job ${i}`, { routing: route.id })
      world.hear(one.request, one.bill, one.result, one.usage, one.ack)
      await world.settle(100)
    }
    expect(all.asked.length).toBeLessThanOrEqual(1)
    expect(all.asked.every(({ why }) => why === 'newcomer')).toBe(true)
  })

  test('what was not spent is there for others, and nobody is tried who asks for more than one trial may cost', async () => {
    const all = trierOf({ node: 'honest', dear: 'honest' })
    const half: Trier = async (node, why, signal) => ({ ...(await all.trier(node, why, signal)), msats: price / 2n })
    const world = await worldOf(half, { trials: { msatsPerDay: 2n * price, jobMsats: price } })
    world.nodes('node')
    world.hear(world.announcement('dear', { priceMsats: price + 1n }), world.state('dear'))
    await live(world, ['node', 'dear'], 60 * minute)
    expect(all.names()).toEqual(['node', 'node', 'node'])
    expect(stageOf(world, 'node')).toBe('proven')
  })

  test('silence while the relays were away says nothing', async () => {
    const trier = trierOf({ node: 'silent' })
    const gone = Promise.withResolvers<void>()
    const world = await worldOf(async (...asked) => {
      await gone.promise
      return trier.trier(...asked)
    })
    world.nodes('node')
    await world.settle(10_000)
    world.hub.down()
    await world.settle(1_000)
    world.hub.up()
    await world.settle(10_000)
    gone.resolve()
    await world.settle(1_000)
    expect(trier.asked).toHaveLength(1)
    expect(world.labels()).toEqual([])
  })

  test('a trial that breaks off is trouble and no label', async () => {
    const world = await worldOf(async () => {
      throw new Error('no relay here')
    })
    world.nodes('node')
    await live(world, ['node'], 2 * minute)
    expect(world.labels()).toEqual([])
    expect(world.troubles()).toMatchObject([{ says: expect.stringContaining('no relay here') }])
  })
})
