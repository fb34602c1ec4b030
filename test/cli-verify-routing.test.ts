/** `gridstr verify` on routing events: what an honest router published holds, and every word of it that is changed shows. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Event, feedback, handler, nodeState, type Routing, routing } from '../kinds/index.ts'
import { linkOf } from '../src/cli/verifying/lineage.ts'
import { sha256Hex } from '../src/hash.ts'
import { productOf } from '../src/ledger/index.ts'
import { keys, pubOf, secretOf } from './router-book-world.ts'
import { instead, reworded, routerKey, routerName, shelf, type VerifyWorld, verifyWorld } from './verify-world.ts'

let world: VerifyWorld
let route: Event
let said: Routing

beforeAll(async () => {
  world = await verifyWorld()
  route = await world.live()
  const read = routing.read(route)
  if (!read.ok) throw new Error(read.says)
  said = read.value
})
afterAll(() => world.close())

/** Verifies the last routing event with other words in it, or with other events around it. */
const changed = async (change: (said: Routing) => Partial<Routing>, at?: number) => {
  const fresh = reworded(route, change, at)
  return world.try(fresh.id, shelf(instead(world.events(), route, fresh)))
}
const without = (leave: (event: Event) => boolean) =>
  world.try(route.id, shelf(world.events().filter(event => event.id === route.id || !leave(event))))
const first = (of: Routing) => {
  const [one, ...rest] = of.candidates
  if (!one) throw new Error('nobody is named')
  return { one, rest }
}
/** Changes the first candidate, and its line in the sample where that is asked for. */
const named = (change: Partial<Routing['candidates'][number]>, sampled: Partial<Routing['sample'][number]> = {}) =>
  changed(of => {
    const { one, rest } = first(of)
    const sample = of.sample.map(line => (line.node === one.node ? { ...line, ...sampled } : line))
    return { sample, candidates: [{ ...one, ...change }, ...rest] }
  })

describe('honest routing events', () => {
  test('every one holds, from the first to the last, with nothing left open', async () => {
    const routes = world.by(routing, routerKey)
    expect(routes.length).toBe(3)
    for (const { event } of routes) expect((await world.try(event.id)).report).toMatchObject({ ok: true, kind: 4631 })
    const { report } = await world.try(route.id)
    expect(report.what).toBe('routing event')
    expect(report.checks.map(({ name }) => name)).toEqual([
      ...['signature', 'readable', 'request', 'time', 'chain', 'alone', 'sheet', 'params', 'start', 'lane', 'sample'],
      ...['price-and-score', 'order', 'log', 'factors', 'stages', 'sample-scores', 'latency', 'stake'],
      ...['announcements', 'prices', 'terms', 'median', 'omissions'],
    ])
  })

  test('refusals hold too, and a made-up one does not', async () => {
    const no = await world.ask('a poor customer', { capMsats: 1n })
    const { report, open, failed, says } = await world.try(no.id)
    expect({ open, failed }).toEqual({ open: [], failed: [] })
    expect(report.ok).toBe(true)
    expect(says('refusal')).toContain('same reason')
    const fresh = reworded(no, of => ({ refusal: { code: 'region', says: of.refusal?.says ?? '' } }))
    expect((await world.try(fresh.id, shelf(instead(world.events(), no, fresh)))).failed).toEqual(['refusal'])
    const other = reworded(no, of => ({ refusal: { code: 'full', says: of.refusal?.says ?? '' } }))
    expect((await world.try(other.id, shelf(instead(world.events(), no, other)))).open).toEqual(['refusal'])
    const unpaid = reworded(no, of => ({ refusal: { code: 'unpaid-fee', says: of.refusal?.says ?? '' } }))
    expect((await world.try(unpaid.id, shelf(instead(world.events(), no, unpaid)))).open).toEqual(['refusal'])
  })
})

describe('every published word that is changed shows', () => {
  const other = sha256Hex('something else')

  test('a signature over other bytes', async () => {
    const forged = { ...route, content: route.content.replace('default', 'defaulf') }
    const { verifyEvent } = await import('../src/cli/verifying/verify.ts')
    const relays = shelf(world.events())
    const options = { relays, verify: keys.verify, now: world.now(), signal: new AbortController().signal }
    expect(await verifyEvent(forged, options)).toMatchObject({ ok: false, checks: [{ name: 'signature', ok: false }] })
  })

  test('request: another one, unsigned, expired, put to others', async () => {
    const { asked } = said
    if (!asked) throw new Error('no request')
    expect(
      (
        await changed(() => ({
          asked: { ...asked, sig: asked.sig.replace(/^./, digit => (digit === '0' ? '1' : '0')) },
        }))
      ).failed,
    ).toContain('request')
    const stranger = world.world.asked('somebody', { to: [pubOf('another router')] })
    const about = { asked: stranger, request: stranger.id, to: stranger.pubkey }
    expect((await changed(() => about)).failed).toEqual(expect.arrayContaining(['request', 'start']))
    expect((await changed(of => ({ at: of.at + 86_400 }), route.created_at + 86_400)).failed).toContain('request')
    const { asked: _, ...bare } = said
    const fresh = keys.sign(routing.write(bare, route.created_at), secretOf(routerName))
    const found = await world.try(fresh.id, shelf(instead(world.events(), route, fresh)))
    expect(found.report.ok).toBe(null)
    expect(found.open).toEqual(expect.arrayContaining(['request', 'order', 'factors', 'start']))
  })

  test('seed, start, lane, sample, order', async () => {
    expect((await changed(() => ({ seed: other }))).failed).toEqual(expect.arrayContaining(['chain', 'start']))
    expect((await changed(of => ({ start: of.start / 2 }))).failed).toContain('start')
    expect((await changed(() => ({ lane: 'exploration' }))).failed).toContain('lane')
    expect((await changed(() => ({ lane: 'proven' }))).failed).toEqual(['stages'])
    expect((await changed(of => ({ sample: [...of.sample].reverse() }))).failed).toContain('sample')
    expect((await changed(of => ({ candidates: [...of.candidates].reverse() }))).failed).toContain('order')
    expect((await changed(of => ({ candidates: of.candidates.slice(0, -1) }))).failed).toContain('order')
    expect((await changed(of => ({ sample: of.sample.slice(1) }))).failed).toContain('order')
  })

  test('scores: of the sample, of a candidate, of both, and each factor', async () => {
    const { one } = first(said)
    const score = Math.round((one.score + 0.01) * 1e6) / 1e6
    expect((await named({}, { score })).failed).toContain('price-and-score')
    expect((await named({ score })).failed).toEqual(expect.arrayContaining(['price-and-score', 'factors']))
    expect((await named({ score }, { score })).failed).toContain('factors')
    for (const factor of ['R', 'V', 'Q', 'T'] as const) {
      const factors = { ...one.factors, [factor]: Math.round((one.factors[factor] - 0.01) * 1e6) / 1e6 }
      const lied = { factors, score: productOf(factors) }
      expect((await named(lied, { score: lied.score })).failed).toContain('factors')
    }
    const far = { ...one.factors, L: 0.99 }
    expect((await named({ factors: far, score: productOf(far) }, { score: productOf(far) })).failed).toContain(
      'latency',
    )
    const rich = { ...one.factors, K: 1.05 }
    const found = await named({ factors: rich, score: productOf(rich) }, { score: productOf(rich) })
    expect(found.open).toContain('stake')
  })

  test('stage, number of the log, place in the chain, time', async () => {
    expect((await named({ stage: 'proven' })).failed).toEqual(['stages'])
    expect((await named({ log: said.seq - 2 })).failed).toEqual(['log'])
    expect((await named({ log: said.seq })).failed).toEqual(['log'])
    expect((await changed(() => ({ seq: said.seq + 1 }))).failed).toEqual(expect.arrayContaining(['chain', 'log']))
    expect((await changed(() => ({ prev: '' }))).failed).toContain('chain')
    const [before] = world.by(routing, routerKey)
    expect((await changed(() => ({ prev: before?.event.id ?? '' }))).failed).toContain('chain')
    expect((await changed(() => ({ prev: other }))).open).toEqual(
      expect.arrayContaining(['chain', 'log', 'factors', 'stages', 'sample-scores']),
    )
    expect((await changed(of => ({ at: of.at + 60 }))).failed).toContain('time')
    expect((await changed(of => ({ at: of.at - 600 }))).failed).toContain('time')
  })

  test('price, terms, announcement, quote', async () => {
    const { one } = first(said)
    expect((await named({ msats: 9_000n }, { msats: 9_000 })).failed).toContain('prices')
    expect((await named({ msats: 9_000n })).failed).toContain('price-and-score')
    expect((await named({ terms: ['escrow'] })).failed).toEqual(['terms'])
    expect((await named({ announcement: said.candidates[1]?.announcement ?? '' })).failed).toContain('announcements')
    expect((await named({ announcement: other })).open).toEqual(['announcements', 'prices', 'terms'])
    expect((await named({ service: 'another' })).failed).toContain('announcements')
    expect((await named({ model: 'another' })).failed).toContain('announcements')
    expect((await named({ quote: other })).open).toContain('quotes')
    expect((await named({ quote: one.announcement })).failed).toContain('quotes')
    expect((await named({ firstMs: 7 })).open).toEqual(['speeds'])
  })

  test('policy and parameters that nobody knows leave the decision open', async () => {
    expect((await changed(() => ({ policy: 'whatever' }))).open).toEqual(
      expect.arrayContaining(['order', 'start', 'sample', 'omissions']),
    )
    const { report, open } = await changed(() => ({ params: other }))
    expect(report.ok).toBe(null)
    expect(open).toEqual(expect.arrayContaining(['params', 'order', 'factors', 'log']))
    expect((await changed(() => ({ policy: 'cheapest' }))).failed).toContain('order')
  })

  test('a median that nobody asks, a fee that the bill does not ask, candidates that nobody named', async () => {
    expect((await changed(of => ({ median: of.median + 1 }))).open).toEqual(['median'])
    const bill = world.by(feedback, pubOf('a'))[0]
    const bolt11 = bill?.value.bolt11 ?? ''
    expect(bolt11).toMatch(/^lnbcrt/)
    expect((await changed(() => ({ fee: { msats: 1n, bolt11 } }))).failed).toEqual(['fee'])
    expect((await changed(() => ({ fee: { msats: 21_000n, bolt11 } }))).failed).toEqual([])
    expect((await changed(() => ({ via: [route.tags[0]?.[1] ?? ''] }))).failed).toEqual([])
  })

  test('two entries in one place, and two routes of one request, are evidence', async () => {
    const twin = reworded(route, () => ({ refused: { full: 3 } }), route.created_at + 5)
    const { failed, says } = await world.try(route.id, shelf([...world.events(), twin]))
    expect(failed).toEqual(['alone'])
    expect(says('alone')).toContain(`${twin.id} says something else`)
    const again = reworded(route, of => ({ seq: of.seq + 9, candidates: of.candidates.slice(1) }))
    expect((await world.try(route.id, shelf([...world.events(), again]))).failed).toEqual(['alone'])
  })

  test('a commitment that the next entry does not open', async () => {
    const [, second] = world.by(routing, routerKey)
    if (!second) throw new Error('one route only')
    const next = keys.sign(
      routing.write({ ...said, seq: second.value.seq + 1, prev: second.event.id, seed: other }, route.created_at),
      secretOf(routerName),
    )
    expect((await world.try(second.event.id, shelf([...world.events(), next]))).failed).toContain('commit')
  })
})

describe('what is missing is left open, and never held for right', () => {
  test('the log, or one entry of it', async () => {
    const entries = world
      .events()
      .filter(event => event.pubkey === routerKey && (linkOf(event)?.seq ?? said.seq) < said.seq)
    const log = ['log', 'factors', 'stages', 'sample-scores', 'median', 'omissions']
    const none = await without(event => entries.includes(event))
    expect(none.report.ok).toBe(null)
    expect(none.open).toEqual(expect.arrayContaining(['chain', ...log]))
    for (const gone of entries.filter(({ id }) => id !== said.prev)) {
      const found = await without(event => event.id === gone.id)
      expect({ ok: found.report.ok, open: found.open }).toEqual({ ok: null, open: log })
    }
  })

  test('announcements', async () => {
    const { report, open } = await without(({ kind }) => kind === handler.number)
    expect(report.ok).toBe(null)
    expect(open).toEqual(expect.arrayContaining(['announcements', 'prices', 'terms']))
  })

  test('a lease that was renewed with another price says nothing of the one before', async () => {
    const { one } = first(said)
    const name = ['a', 'b', 'c'].find(each => pubOf(each) === one.node) ?? 'a'
    const price = (msats: bigint) => [{ kind: 5050, model: 'nano', msats, unit: 'job' as const }]
    const lease = (at: number) => {
      const state = { service: 'text', kinds: [5050], slots: { total: 4, busy: 0, queued: 0 }, prices: price(77n) }
      const written = nodeState.write({ ...state, generation: 1_700_000_000, expiresAt: at + 180 }, at)
      return keys.sign(written, secretOf(name))
    }
    const others = world.events().filter(event => !(event.kind === nodeState.number && event.pubkey === one.node))
    const later = await world.try(route.id, shelf([...others, lease(route.created_at + 30)]))
    expect(later.failed).toEqual([])
    const before = await world.try(route.id, shelf([...others, lease(route.created_at - 30)]))
    // Whether the router had heard of it nobody can prove; no price of the node at all is another matter.
    expect({ failed: before.failed, open: before.open }).toEqual({ failed: [], open: ['prices'] })
    const fresh = reworded(route, of => ({
      sample: of.sample.map(line => (line.node === one.node ? { ...line, msats: 78 } : line)),
      candidates: of.candidates.map(each => (each.node === one.node ? { ...each, msats: 78n } : each)),
    }))
    const neither = await world.try(fresh.id, shelf([...instead(others, route, fresh), lease(route.created_at - 30)]))
    expect(neither.failed).toContain('prices')
  })

  test('who else would do is shown and not held against it', async () => {
    const { one } = first(said)
    const less = reworded(route, of => ({
      sample: of.sample.filter(({ node }) => node !== one.node),
      candidates: of.candidates.slice(1),
    }))
    const { open, says } = await world.try(less.id, shelf(instead(world.events(), route, less)))
    expect(open).toContain('omissions')
    expect(says('omissions')).toContain(one.node.slice(0, 8))
  })
})
