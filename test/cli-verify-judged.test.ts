/** `gridstr verify` on labels, scores, receipts, evidence and verdicts. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Attestation,
  attestation,
  type Event,
  handler,
  type NodeScore,
  nodeScore,
  priceSheet,
  routing,
  textRequest,
  textResult,
} from '../kinds/index.ts'
import { sha256Hex } from '../src/hash.ts'
import { defaultParams, paramsHash, productOf } from '../src/ledger/index.ts'
import { serviceSecret } from '../src/router/seeds.ts'
import { keys, type Papers, pubOf, secretOf } from './router-book-world.ts'
import { instead, routerKey, routerName, shelf, type VerifyWorld, verifyWorld } from './verify-world.ts'

let world: VerifyWorld
let route: Event
let papers: Papers

beforeAll(async () => {
  world = await verifyWorld()
  route = await world.live()
  papers = await world.job('one more', route, { customer: 'last customer' })
  await world.publish(papers.bill, papers.result, papers.usage, papers.ack, papers.zap)
  await world.clock.advance(90_000)
})
afterAll(() => world.close())

const labels = (topic: Attestation['topic'], job = papers.request.id) =>
  world.by(attestation, routerKey).filter(({ value }) => value.topic === topic && value.job === job)
const one = (topic: Attestation['topic']) => {
  const [found] = labels(topic)
  if (!found) throw new Error(`no label of an ${topic}`)
  return found
}
/** A label with other words, signed by the router again, where the old one was. */
const relabelled = (topic: Attestation['topic'], change: Partial<Attestation>) => {
  const { event, value } = one(topic)
  const fresh = keys.sign(attestation.write({ ...value, ...change }, event.created_at), secretOf(routerName))
  return world.try(fresh.id, shelf(instead(world.events(), event, fresh)))
}
const without = (id: string, ...gone: readonly string[]) =>
  world.try(id, shelf(world.events().filter(event => !gone.includes(event.id))))
const other = sha256Hex('something else')

describe('labels of payments', () => {
  test('all that the router wrote come out again', async () => {
    const all = world.by(attestation, routerKey).filter(({ value }) => value.topic !== 'audit')
    expect(all.length).toBe(6)
    for (const { event } of all) {
      const { report, failed, open } = await world.try(event.id)
      expect({ ok: report.ok, what: report.what, failed, open }).toEqual({
        ok: true,
        what: 'attestation',
        failed: [],
        open: [],
      })
    }
  })

  test('label, checks, amount, hash, customer, model, time, number', async () => {
    const { value } = one('payment')
    expect((await relabelled('payment', { label: 'forged' })).failed).toEqual(['label'])
    expect((await relabelled('payment', { label: 'receipt-valid' })).failed).toEqual(['label'])
    expect((await relabelled('payment', { checks: value.checks.slice(1) })).failed).toEqual(['checks'])
    expect((await relabelled('payment', { failed: ['preimage'] })).failed).toEqual(['checks'])
    expect((await relabelled('payment', { msats: 1n })).failed).toEqual(['amount'])
    expect((await relabelled('payment', { hash: other })).failed).toContain('label')
    expect((await relabelled('payment', { customer: other })).failed).toEqual(['job', 'amount'])
    expect((await relabelled('payment', { model: 'other' })).failed).toEqual(['amount'])
    expect((await relabelled('payment', { at: value.at - 60 })).failed).toEqual(['amount'])
    expect((await relabelled('payment', { node: pubOf('nobody') })).report.ok).not.toBe(true)
    expect((await relabelled('payment', { seq: value.seq + 1 })).failed).toContain('chain')
    expect((await relabelled('payment', { prev: other })).open).toEqual(
      expect.arrayContaining(['chain', 'log', 'unused']),
    )
    expect((await relabelled('payment', { commit: other })).failed).toEqual([])
  })

  test('evidence of another job, or none, bears nothing out', async () => {
    const foreign = labels('payment', world.by(textRequest, pubOf('customer 0'))[0]?.event.id)[0]
    expect((await relabelled('payment', { evidence: foreign?.value.evidence ?? [] })).failed).toContain('label')
    expect((await relabelled('payment', { evidence: [] })).failed).toContain('label')
    expect((await relabelled('payment', { evidence: [papers.zap.id] })).failed).toContain('label')
    expect((await relabelled('payment', { evidence: [other] })).open).toEqual([
      'evidence',
      'label',
      'checks',
      'amount',
      'unused',
    ])
  })

  test('what is not there leaves it open', async () => {
    const { event, value } = one('payment')
    for (const gone of [papers.request.id, ...value.evidence, value.routing ?? '']) {
      const { report, failed, open } = await without(event.id, gone)
      expect({ ok: report.ok, failed }).toEqual({ ok: null, failed: [] })
      expect(open).toEqual(expect.arrayContaining(['label', 'checks', 'amount', 'unused']))
    }
    const announced = world.by(handler, value.node).map(each => each.event.id)
    expect((await without(event.id, ...announced)).open).toEqual(['label', 'checks', 'amount', 'unused'])
  })

  test('a payment that was attested for another job before', async () => {
    const { event, value } = one('payment')
    const [early] = world.by(attestation, routerKey).filter(each => each.value.topic === 'payment')
    if (!early) throw new Error('no label')
    const stolen = keys.sign(
      attestation.write({ ...value, hash: early.value.hash ?? '' }, event.created_at),
      secretOf(routerName),
    )
    expect((await world.try(stolen.id, shelf(instead(world.events(), event, stolen)))).failed).toContain('label')
  })

  test('coins: play money is counted as the label counts it, unless the reader wants other coins', async () => {
    const { event } = one('payment')
    expect((await world.try(event.id, undefined, { network: 'regtest' })).report.ok).toBe(true)
    expect((await world.try(event.id, undefined, { network: 'mainnet' })).report.ok).toBe(
      one('payment').value.checks.includes('acknowledgement'),
    )
  })
})

describe('labels of outcomes and audits', () => {
  test('outcome: label, checks, times, tokens, weight, routing', async () => {
    expect((await relabelled('outcome', { label: 'failed' })).report.ok).not.toBe(true)
    expect((await relabelled('outcome', { label: 'disputed' })).failed).toEqual(['label'])
    expect((await relabelled('outcome', { firstMs: 1 })).failed).toEqual(['measured'])
    expect((await relabelled('outcome', { ms: 1 })).failed).toEqual(['measured'])
    expect((await relabelled('outcome', { outputTokens: 1 })).failed).toEqual(['measured'])
    expect((await relabelled('outcome', { at: 1_700_000_000 })).failed).toEqual(['measured'])
    expect((await relabelled('outcome', { code: 'late' })).report.ok).not.toBe(true)
    expect((await relabelled('outcome', { weight: 1 })).open).toEqual(['weight'])
    expect((await relabelled('outcome', { checks: ['late', 'acknowledged'] })).open).toEqual(['checks'])
    expect((await relabelled('outcome', { evidence: [papers.result.id] })).failed).toContain('label')
    expect((await relabelled('outcome', { routing: papers.request.id })).failed).toEqual(
      expect.arrayContaining(['routing', 'label']),
    )
    const { event, value } = one('outcome')
    const { routing: _, ...bare } = value
    const trial = keys.sign(attestation.write(bare, event.created_at), secretOf(routerName))
    const found = await world.try(trial.id, shelf(instead(world.events(), event, trial)))
    expect(found.open).toEqual(['label', 'measured'])
  })

  test('outcome: silence is contradicted by an answer that is there, and proven by nobody', async () => {
    const { event, value } = one('outcome')
    const { firstMs: _, ms: __, outputTokens: ___, ...rest } = value
    const silent = { ...rest, label: 'failed', evidence: [], checks: ['published', 'unanswered'], code: 'silent' }
    const fresh = keys.sign(attestation.write(silent, event.created_at + 900), secretOf(routerName))
    const events = instead(world.events(), event, fresh)
    expect((await world.try(fresh.id, shelf(events))).open).toContain('label')
    const gone = new Set(
      Object.values(papers).flatMap(paper => (typeof paper === 'string' || paper === papers.request ? [] : [paper.id])),
    )
    const { report, failed, open } = await world.try(fresh.id, shelf(events.filter(({ id }) => !gone.has(id))))
    expect({ ok: report.ok, failed }).toEqual({ ok: null, failed: [] })
    expect(open).toContain('listening')
  })

  test('audit: the draw was due, and what the auditor found stays its own', async () => {
    const { event, value } = one('audit')
    const { report, failed, open } = await world.try(event.id)
    expect({ ok: report.ok, failed, open }).toEqual({ ok: null, failed: [], open: ['auditor'] })
    expect((await relabelled('audit', { seed: other })).failed).toEqual(['beacon'])
    expect((await relabelled('audit', { evidence: [papers.usage.id] })).failed).toContain('result')
    expect((await relabelled('audit', { evidence: [other] })).open).toEqual(
      expect.arrayContaining(['result', 'beacon']),
    )
    expect((await relabelled('audit', { at: value.at - 3_600 })).failed).toEqual(['time'])
    expect((await relabelled('audit', { job: route.id })).failed).toEqual(expect.arrayContaining(['job', 'result']))
    const late = keys.sign(
      textResult.write(
        { job: papers.request.id, customer: papers.request.pubkey, text: 'later' },
        event.created_at + 120,
      ),
      secretOf(['a', 'b', 'c'].find(name => pubOf(name) === value.node) ?? ''),
    )
    const fresh = keys.sign(
      attestation.write({ ...value, evidence: [late.id] }, event.created_at),
      secretOf(routerName),
    )
    const found = await world.try(fresh.id, shelf([...instead(world.events(), event, fresh), late]))
    expect(found.failed).toEqual(['beacon'])
  })
})

describe('scores', () => {
  const scores = () =>
    world.by(nodeScore, keys.publicKey(serviceSecret(secretOf(routerName), paramsHash(defaultParams))))
  const rescored = async (change: (said: NodeScore) => Partial<NodeScore>, secret?: Uint8Array) => {
    const last = scores().at(-1)
    if (!last) throw new Error('no score')
    const service = serviceSecret(secretOf(routerName), paramsHash(defaultParams))
    const fresh = keys.sign(
      nodeScore.write({ ...last.value, ...change(last.value) }, last.event.created_at),
      secret ?? service,
    )
    return world.try(fresh.id, shelf(instead(world.events(), last.event, fresh)))
  }
  const market = (change: Partial<NodeScore['markets'][number]>) =>
    rescored(({ markets: [first, ...rest] }) => ({ markets: first ? [{ ...first, ...change }, ...rest] : [] }))

  test('all that were published come out of the log', async () => {
    expect(scores().length).toBeGreaterThan(0)
    for (const { event } of scores())
      expect((await world.try(event.id)).report).toMatchObject({ ok: true, what: 'score' })
  })

  test('rank, factors, stage, jobs, market, log, key', async () => {
    const first = scores().at(-1)?.value.markets[0]
    if (!first) throw new Error('no market')
    expect((await rescored(({ rank }) => ({ rank: rank + 1 }))).failed).toEqual(['rank'])
    expect((await market({ rank: 99 })).failed).toEqual(['markets', 'rank'])
    for (const factor of ['R', 'V', 'Q', 'T', 'L'] as const) {
      const factors = { ...first.factors, [factor]: Math.round((first.factors[factor] + 0.01) * 1e6) / 1e6 }
      expect((await market({ factors, rank: Math.round(productOf(factors) * 1e8) / 1e6 })).failed).toContain('markets')
    }
    const factors = { ...first.factors, K: 1.1 }
    expect((await market({ factors, rank: Math.round(productOf(factors) * 1e8) / 1e6 })).open).toContain('stake')
    expect((await market({ stage: 'proven' })).failed).toEqual(['markets'])
    expect((await market({ jobs: 1_000 })).failed).toEqual(['markets'])
    expect((await market({ model: 'other' })).failed).toEqual(['markets'])
    expect((await rescored(() => ({ markets: [], rank: 0 }))).failed).toEqual(['markets'])
    expect((await rescored(({ log }) => (log ? { log: { ...log, seq: log.seq + 1 } } : {}))).failed).toContain('log')
    expect((await rescored(({ log }) => (log ? { log: { ...log, id: other } } : {}))).open).toEqual([
      'log',
      'markets',
      'rank',
    ])
    expect((await rescored(() => ({}), secretOf('somebody'))).failed).toEqual(['service'])
    expect((await rescored(() => ({ params: other }))).open).toEqual(expect.arrayContaining(['params', 'markets']))
    const { report } = await rescored(({ markets, rank, node }) => ({
      markets,
      rank,
      node,
      log: { router: pubOf('a'), seq: 0, id: other },
    }))
    expect(report.ok).toBe(null)
  })

  test('without price sheet or log it is open', async () => {
    const last = scores().at(-1)
    if (!last) throw new Error('no score')
    const sheets = world.by(priceSheet, routerKey).map(({ event }) => event.id)
    expect((await without(last.event.id, ...sheets)).open).toEqual(['service'])
    const entry = world.by(attestation, routerKey)[0]?.event.id ?? ''
    const found = await without(last.event.id, entry)
    expect({ failed: found.failed, open: found.open }).toEqual({ failed: [], open: ['log', 'markets', 'rank'] })
  })
})

test('a routing event of the same world still holds', async () => {
  for (const { event } of world.by(routing, routerKey)) expect((await world.try(event.id)).failed).toEqual([])
})
