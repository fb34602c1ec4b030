/** Routing events of fuller markets: nodes that bid, round trips, stake, proven nodes, newcomers, other routers. */
import { describe, expect, test } from 'vitest'
import {
  addressedTo,
  attestation,
  bond,
  bondEntry,
  type Event,
  handler,
  nodeScore,
  type Offered,
  quote,
  quoteRequest,
  type Routing,
  routing,
  type Sampled,
} from '../kinds/index.ts'
import { sha256Hex } from '../src/hash.ts'
import { productOf } from '../src/ledger/index.ts'
import { openPolicy } from '../src/routing/index.ts'
import { keys, pubOf, secretOf } from './router-book-world.ts'
import { instead, reworded, routerKey, shelf, type VerifyWorld, verifyWorld } from './verify-world.ts'

const saidIn = (event: Event): Routing => {
  const read = routing.read(event)
  if (!read.ok) throw new Error(read.says)
  return read.value
}

/** Nodes that answer requests for quotes after so many milliseconds. */
async function bidders(world: VerifyWorld, names: readonly string[], delayMs: (at: number) => number, msats = 9_000n) {
  for (const [at, name] of names.entries()) {
    const relays = world.world.hub.connect()
    relays.listen([addressedTo([pubOf(name)], [quoteRequest.number])], {
      onEvent(request) {
        const said: Offered = {
          ...{
            request: request.id,
            to: request.pubkey,
            kind: 5050,
            model: 'nano',
            msats: msats + BigInt(at),
            firm: true,
          },
          ...{ reserve: 'none', terms: [], free: 2, expiresAt: world.now() + 60 },
        }
        world.clock.after(delayMs(at), () => void relays.publish(world.sign(quote.write(said, world.now()), name)))
      },
    })
  }
  await world.clock.advance(10)
}

const changed = async (world: VerifyWorld, route: Event, change: (said: Routing) => Partial<Routing>) => {
  const fresh = reworded(route, change)
  return world.try(fresh.id, shelf(instead(world.events(), route, fresh)))
}
/** Changes the first candidate everywhere. */
const first = (world: VerifyWorld, route: Event, change: Partial<Routing['candidates'][number]>) =>
  changed(world, route, ({ candidates: [one, ...rest], sample }) => {
    if (!one) return {}
    const fresh = { ...one, ...change }
    const line = { msats: Number(fresh.msats), score: fresh.score }
    return {
      candidates: [fresh, ...rest],
      sample: sample.map(each => (each.node === one.node ? { ...each, ...line } : each)),
    }
  })

describe('nodes that bid', () => {
  test('quotes and round trips hold; other quotes and other round trips do not', async () => {
    const world = await verifyWorld()
    await world.announce('a', 'b', 'c')
    await bidders(world, ['a', 'b', 'c'], at => 20 + 30 * at)
    await world.clock.advance(15_000)
    await world.ask('somebody')
    const route = await world.ask('somebody else')
    const { report, open, failed } = await world.try(route.id)
    expect({ open, failed, ok: report.ok }).toEqual({ open: [], failed: [], ok: true })
    const { candidates } = saidIn(route)
    expect(candidates.every(one => one.quote !== undefined && one.rttMs !== undefined)).toBe(true)
    expect(new Set(candidates.map(one => one.factors.L)).size).toBeGreaterThan(1)
    expect(report.checks.find(({ name }) => name === 'latency')?.says).toContain('all 3 fit one median')

    const [one, two] = candidates
    if (!one || !two) throw new Error('nobody is named')
    expect((await first(world, route, { msats: one.msats - 1n })).failed).toContain('quotes')
    expect((await first(world, route, { firm: false })).failed).toEqual(['quotes'])
    expect((await first(world, route, { quoteExpiresAt: (one.quoteExpiresAt ?? 0) + 9 })).failed).toEqual(['quotes'])
    expect((await first(world, route, { quote: two.quote ?? '' })).failed).toContain('quotes')
    expect((await first(world, route, { quote: sha256Hex('none') })).open).toContain('quotes')
    expect((await first(world, route, { rttMs: (one.rttMs ?? 0) + 200 })).failed).toEqual(['latency'])
    const L = one.factors.L > 0.9 ? 0.81 : 0.99
    const factors = { ...one.factors, L }
    expect((await first(world, route, { factors, score: productOf(factors) })).failed).toContain('latency')
    const { rttMs: _, ...bare } = one
    const less = await changed(world, route, of => ({ candidates: [bare, ...of.candidates.slice(1)] }))
    expect(less.failed).toEqual(one.factors.L === 0.9 ? [] : ['latency'])
    const old = world.by(quote, one.node).find(({ event }) => event.id !== one.quote)
    expect(old).toBeDefined()
    expect((await first(world, route, { quote: old?.event.id ?? '' })).report.ok).toBe(false)
    await world.close()
  })

  test('scores of nodes that are not named come out to the digit, with the round trips that are told of them', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']
    const world = await verifyWorld()
    await world.announce(...names)
    await bidders(world, names, at => 20 + 30 * at)
    await world.clock.advance(15_000)
    for (let at = 0; at < 4; at++) await world.ask(`customer ${at}`)
    const route = await world.ask('somebody')
    const said = saidIn(route)
    expect(said.sample.length).toBe(9)
    const found = await world.try(route.id)
    expect({ failed: found.failed, open: found.open }).toEqual({
      failed: [],
      open: [],
    })
    const named = new Set(said.candidates.map(({ node }) => node))
    const others = (change: (line: Sampled) => Sampled) =>
      changed(world, route, of => ({ sample: of.sample.map(line => (named.has(line.node) ? line : change(line))) }))
    const halved = await others(line => ({ ...line, score: line.score / 2 }))
    expect(halved.failed).toContain('sample-scores')
    const faster = await others(line => ({ ...line, L: 1 }))
    expect(faster.failed).toContain('sample-scores')
    // A round trip that nobody tells may be any.
    const silent = await others(({ L: _, ...line }) => line)
    expect(silent.open).toContain('sample-scores')
    const impossible = await others(({ L: _, ...line }) => ({ ...line, score: line.score / 2 }))
    expect(impossible.failed).toContain('sample-scores')
    await world.close()
  })
})

describe('stake', () => {
  test('counts by the bonds that are on the relays, alike for all', async () => {
    const world = await verifyWorld({ judging: { network: 'regtest', stakeRef: 100 } })
    await world.announce('a', 'b', 'c')
    const at = world.now()
    for (const [name, units] of [
      ['a', 40n],
      ['b', 80n],
    ] as const) {
      const value = {
        id: 'one',
        units,
        proof: 'abstract' as const,
        lockedAt: at,
        expiresAt: at + 80 * 86_400,
        role: 'node' as const,
      }
      const entry = { bond: 'one', act: 'lock' as const, units, at, seq: 0 }
      await world.publish(world.sign(bond.write(value, at), name), world.sign(bondEntry.write(entry, at), name))
    }
    await world.clock.advance(75_000)
    const route = await world.ask('somebody')
    const { open, failed, says } = await world.try(route.id)
    expect({ open, failed }).toEqual({ open: [], failed: [] })
    expect(says('stake')).toContain('bonds on these relays')
    const without = world.events().filter(({ kind }) => kind !== bond.number)
    expect((await world.try(route.id, shelf(without))).open).toEqual(['stake'])
    const rich = saidIn(route).candidates.findIndex(({ node }) => node === pubOf('a'))
    const lie = await changed(world, route, of => ({
      candidates: of.candidates.map((one, i) => {
        const factors = i === rich ? { ...one.factors, K: 1.09 } : one.factors
        return { ...one, factors, score: productOf(factors) }
      }),
    }))
    expect(lie.failed).toContain('stake')
    await world.close()
  })
})

describe('proven nodes', () => {
  test('a proven node takes the lane of the proven; scores and lanes hold, and naming an unproven one shows', async () => {
    const world = await verifyWorld()
    await world.announce('a', 'b', 'c')
    for (let at = 0; at < 22; at++) {
      const route = await world.ask(`customer ${at}`, { allow: [pubOf('a')] })
      const papers = await world.job(`job ${at}`, route, { customer: `customer ${at}` })
      await world.publish(papers.bill, papers.result, papers.usage, papers.ack, papers.zap)
      await world.clock.advance(2_000)
    }
    await world.clock.advance(60_000)
    await world.announce('a', 'b', 'c')
    await world.clock.advance(15_000)
    const route = await world.ask('somebody')
    const said = saidIn(route)
    expect({ lane: said.lane, stage: said.candidates.map(({ stage }) => stage) }).toEqual({
      lane: 'proven',
      stage: ['proven'],
    })
    const { open, failed } = await world.try(route.id)
    expect({ open, failed }).toEqual({ open: [], failed: [] })
    const [one] = said.sample
    if (!one) throw new Error('nobody was drawn')
    const intruder = { ...one, node: pubOf('b'), score: 0 }
    const sneaked = await changed(world, route, of => ({ sample: [...of.sample, intruder] }))
    expect(sneaked.failed).toContain('stages')
    expect((await changed(world, route, () => ({ lane: 'bootstrap' }))).failed).toContain('stages')
    // All routes and scores on the way hold too.
    for (const { event } of world.by(routing, routerKey).slice(0, 5))
      expect((await world.try(event.id)).failed).toEqual([])
    const scores = [...world.everything.values()].filter(({ kind }) => kind === nodeScore.number)
    for (const { id } of scores) expect((await world.try(id)).report.ok).toBe(true)
    expect(scores.length).toBeGreaterThan(1)
    await world.close()
  })
})

describe('trials of a router’s own', () => {
  test('its labels hold as far as anybody can see, and the rest is open', async () => {
    let world: VerifyWorld | undefined
    const trier = async ({ pubkey, kind }: { readonly pubkey: string; readonly kind: number }) => {
      if (!world) throw new Error('too early')
      const name = ['a', 'b', 'c'].find(one => pubOf(one) === pubkey) ?? ''
      const { request: job, result } = world.world.job(`trial of ${name} ${world.now()}`, {
        node: name,
        customer: 'nobody',
      })
      expect(kind).toBe(job.kind)
      await world.world.hub.connect().publish(job)
      await world.world.hub.connect().publish(result)
      return { verdict: 'passed' as const, job, result, firstMs: 50, ms: 90, outputTokens: 3, msats: 0n }
    }
    world = await verifyWorld({
      judging: { network: 'regtest', auditor: async () => 'passed', trier, trials: { msatsPerDay: 10_000_000n } },
    })
    await world.announce('a', 'b', 'c')
    for (let at = 0; at < 60; at++) await world.clock.advance(2_000)
    const labels = world.by(attestation, routerKey)
    expect(labels.length).toBeGreaterThan(3)
    const open = new Set<string>()
    for (const { event } of labels) {
      const found = await world.try(event.id)
      expect({ failed: found.failed, ok: found.report.ok }).toEqual({ failed: [], ok: null })
      for (const name of found.open) open.add(name)
    }
    expect([...open].toSorted()).toEqual(['auditor', 'label', 'measured'])
    await world.close()
  })
})

describe('policies and other routers', () => {
  test.each(['cheapest', 'fastest', 'trusted', 'local', 'proven|default', 'idle|cheapest', 'prefer|fastest'])(
    '%s holds',
    async name => {
      const world = await verifyWorld({ policy: openPolicy(name, [pubOf('c')]) })
      await world.announce('a', 'b', 'c')
      await world.clock.advance(15_000)
      const route = await world.ask('somebody')
      expect((await world.try(route.id)).failed).toEqual([])
      await world.close()
    },
  )

  test('candidates of other routers are held against those routers’ own words', async () => {
    const world = await verifyWorld()
    await world.announce('a')
    await world.clock.advance(15_000)
    const route = await world.ask('somebody')
    const said = saidIn(route)
    const [own] = said.candidates
    const [announced] = world.by(handler, pubOf('a'))
    if (!own || !announced) throw new Error('nobody is named')
    const theirs = { ...own, node: pubOf('far away'), log: 4 }
    const value = { ...said, candidates: [theirs], sample: [], seq: 0, prev: '' }
    const other = keys.sign(routing.write(value, route.created_at), secretOf('another router'))
    const via = pubOf('another router')
    const passed = (change: Partial<typeof theirs>) =>
      reworded(route, () => ({ candidates: [own, { ...theirs, via, ...change }], via: [other.id] }))
    const tried = (fresh: Event, more: readonly Event[] = [other]) =>
      world.try(fresh.id, shelf([...instead(world.events(), route, fresh), ...more]))
    expect((await tried(passed({}))).failed).toEqual([])
    expect((await tried(passed({ msats: 1n }))).failed).toEqual(['via'])
    expect((await tried(passed({ node: pubOf('nobody') }))).failed).toEqual(['via'])
    expect((await tried(passed({}), [])).open).toContain('via')
    await world.close()
  })
})
