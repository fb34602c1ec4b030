/** A customer who shows what only it has: tried first, the least that proves it, and nothing where it did not say so. */
import { describe, expect, test } from 'vitest'
import {
  bond,
  bondEntry,
  type Event,
  faultEvidence,
  faultVerdict,
  feedback,
  handler,
  type Routing,
  textRequest,
} from '../kinds/index.ts'
import { memoryHub } from '../relays/memory.ts'
import { query } from '../relays/relay.ts'
import { accuseNode, accuseRouter } from '../src/client/accuse.ts'
import { openClient } from '../src/client/client.ts'
import { bondedRouters } from '../src/client/router-bonds.ts'
import { handClock, seconds } from '../src/clock.ts'
import { defaultParams, paramsHash, verifyFault } from '../src/ledger/index.ts'
import { simNet } from '../src/payments/sim.ts'
import { faultTools } from '../src/router/fault-tools.ts'
import { openSeal } from '../src/seal.ts'
import { openGrid, words } from './client-grid.ts'
import { stories } from './faults-honest.ts'
import { announced, rotten, sealedJob } from './faults-proven.ts'
import {
  askedOf,
  billOf,
  conversationOf,
  digest,
  invoiceOf,
  jobOf,
  keys,
  NOW,
  preimageOf,
  pub,
  resultOf,
  routeOf,
  secretOf,
  sign,
  usageOf,
  wordOf,
} from './faults-world.ts'
import { memoryWorld } from './worlds.ts'

const tools = faultTools(keys.verify)

async function desk() {
  const clock = handClock()
  const hub = memoryHub({ clock, verify: event => keys.verify(event) })
  const seen: Event[] = []
  hub.watch(event => seen.push(event))
  const relays = hub.connect()
  const options = { relays, keys, clock, tools, secret: secretOf('customer') }
  const shown = () =>
    [...new Map(seen.map(event => [event.id, event])).values()].flatMap(event => {
      const read = event.kind === faultEvidence.number ? faultEvidence.read(event) : undefined
      return read?.ok ? [{ ...read.value, by: event.pubkey }] : []
    })
  return {
    options,
    shown,
    hub,
    clock,
    accuse: (papers: Parameters<typeof accuseNode>[2]) => accuseNode(options, pub('node'), papers),
  }
}

describe('the papers of a job', () => {
  test('garbage under a seal is shown with its preimage and the key of that conversation, and nothing else', async () => {
    const { accuse, shown } = await desk()
    const garbage = resultOf(sealedJob.id, rotten, { to: 'customer' })
    const bill = billOf(sealedJob.id, {}, { to: 'customer' })
    const said = await accuse({ request: sealedJob, answers: [bill, garbage], preimage: preimageOf('hold') })
    expect(said).toMatchObject({ rule: 'E2', accused: pub('node') })
    const [evidence] = shown()
    expect(evidence).toMatchObject({ events: [garbage], preimage: preimageOf('hold'), by: pub('customer') })
    expect(evidence?.keys).toEqual({ [garbage.id]: conversationOf('customer', 'node') })
    expect(evidence && (await verifyFault(evidence, tools)).ok).toBe(true)
  })

  test('an invoice above its amount needs no key where it was said aloud, and no preimage', async () => {
    const { accuse, shown } = await desk()
    const bait = billOf(sealedJob.id, { invoiced: 2_000n })
    await accuse({ request: sealedJob, answers: [bait, usageOf(sealedJob.id)], preimage: preimageOf('one') })
    const [evidence] = shown()
    expect(evidence).toMatchObject({ rule: 'E3', events: [bait] })
    expect([evidence?.keys, evidence?.preimage]).toEqual([undefined, undefined])
  })

  test('a sealed job that was answered aloud, and a refusal after the bill', async () => {
    const { accuse, shown } = await desk()
    await accuse({ request: sealedJob, answers: [resultOf(sealedJob.id)] })
    const job = jobOf()
    await accuse({ request: job, answers: [billOf(job.id), wordOf(job.id, { code: 'busy' })] })
    expect(shown().map(({ rule }) => rule)).toEqual(['E7', 'E10'])
  })

  test('of honest nodes prove nothing, and nothing is published', async () => {
    const { accuse, shown } = await desk()
    let tried = 0
    for (const story of stories)
      for (const request of story.filter(({ kind }) => kind === textRequest.number).slice(0, 3)) {
        if (request.pubkey !== pub('customer')) continue
        const answers = story.filter(one => one.tags.some(([name, id]) => name === 'e' && id === request.id))
        expect(await accuse({ request, answers, preimage: preimageOf('hold') })).toBe(undefined)
        tried++
      }
    expect(tried).toBeGreaterThan(8)
    expect(shown()).toEqual([])
  })

  test('of somebody else are not held against the node', async () => {
    const { accuse, shown } = await desk()
    const job = jobOf()
    const lies = [billOf(job.id, { invoiced: 9_000n }, { by: 'stranger' }), resultOf(job.id, {}, { by: 'stranger' })]
    await accuse({ request: job, answers: lies })
    await accuse({ request: job, answers: lies.map(one => ({ ...one, pubkey: pub('node') })) })
    expect(shown()).toEqual([])
  })
})

test('a routing event that does not follow is shown; honest ones and unknown policies are not', async () => {
  const { options, shown } = await desk()
  const params = paramsHash(defaultParams)
  const backwards = { params, rank: (order: string[]) => order.toReversed() }
  expect(await accuseRouter(options, routeOf(askedOf(), { params }))).toBe(undefined)
  expect(await accuseRouter(options, routeOf(askedOf(), { ...backwards, policy: 'mine' }))).toBe(undefined)
  expect(await accuseRouter(options, jobOf())).toBe(undefined)
  expect(await accuseRouter(options, routeOf(askedOf(), backwards))).toMatchObject({
    rule: 'E9',
    accused: pub('router'),
  })
  expect(shown().length).toBe(1)
})

const swapped = (said: Routing): Routing => {
  const [first, second, ...rest] = said.candidates
  return first && second ? { ...said, candidates: [second, first, ...rest] } : said
}

describe('a client', () => {
  test.each([true, false])('accuses only who told it to: %s', async wants => {
    const world = await memoryWorld()
    const client = wants ? { accuse: faultTools(world.keys.verify) } : {}
    const grid = await openGrid(world, { nodes: [{}, {}], client })
    const liar = await grid.router({ lie: swapped })
    const outcome = await grid.client.askRouted({
      ...{ text: words, capMsats: 5_000n, routers: [liar.pubkey], auctionMs: 100, slackMs: 400, hedge: false },
      onEvent: grid.onEvent,
    })
    expect(outcome).toMatchObject({ ok: true, route: { by: 'own', routers: [{ state: 'lied', bonded: false }] } })
    const shown = await query(world.connect(), [{ kinds: [faultEvidence.number] }])
    const told = grid.events.filter(({ event }) => event === 'accused')
    expect([shown.length, told.length]).toEqual(wants ? [1, 1] : [0, 0])
    if (wants) expect(told).toMatchObject([{ rule: 'E9', accused: liar.pubkey, id: shown[0]?.id }])
    await grid.close()
  })

  test('shows a sealed bill whose invoice is above its amount, and pays nothing', async () => {
    const world = await memoryWorld()
    const secret = world.keys.newSecret()
    const node = world.keys.publicKey(secret)
    const relays = world.connect(secret)
    const seal = openSeal({ keys: world.keys, secret })
    const listening = relays.listen([{ kinds: [textRequest.number], '#p': [node] }], {
      onEvent(job) {
        const at = seconds(world.clock)
        const bait = {
          ...{ job: job.id, customer: job.pubkey, status: 'payment-required' as const, says: '', content: '' },
          ...{ msats: 1_000n, bolt11: invoiceOf('bait', 4_000n, 'lightning', at) },
        }
        const encrypt = (text: string) => seal.encrypt(job.pubkey, text)
        void relays.publish(world.keys.sign(feedback.write(bait, at, encrypt), secret))
        const giveUp = { ...bait, status: 'error' as const, code: 'runner' }
        const { msats: _, bolt11: __, ...plain } = giveUp
        void relays.publish(world.keys.sign(feedback.write(plain, at + 1, encrypt), secret))
      },
    })
    await listening.live
    const net = simNet({ clock: world.clock })
    const payer = net.wallet({ alias: 'client', msats: 100_000n })
    const own = world.keys.newSecret()
    const events: unknown[] = []
    const client = openClient({
      ...{ relays: world.connect(own), keys: world.keys, secret: own, clock: world.clock, payer, network: 'regtest' },
      accuse: faultTools(world.keys.verify),
    })
    const announcement = handler.read(announced)
    const outcome = await client.ask({
      ...{ text: 'Why?', capMsats: 9_000n, ttlSeconds: 20, onEvent: event => events.push(event) },
      node: announcement.ok ? { pubkey: node, announcement: announcement.value } : { pubkey: node },
    })
    expect(outcome).toMatchObject({ ok: false, msats: 0n })
    const [event] = await query(world.connect(), [{ kinds: [faultEvidence.number] }])
    const read = event && faultEvidence.read(event)
    expect(read?.ok && (await verifyFault(read.value, tools))).toMatchObject({ ok: true, rule: 'E3', offender: node })
    expect(events).toContainEqual(expect.objectContaining({ event: 'accused', rule: 'E3', accused: node }))
    listening.close()
    await payer.close()
    await world.close()
  })
})

describe('what routers have at stake', () => {
  const day = 86_400
  const locked = (by: string, at: number, change: object = {}) => {
    const value = {
      id: 'b',
      units: 1_000n,
      proof: 'abstract',
      lockedAt: at,
      expiresAt: at + 30 * day,
      role: 'router',
    } as const
    const entry = { bond: 'b', act: 'lock', units: 1_000n, at, seq: 0 } as const
    return [sign(bond, { ...value, ...change }, by, at), sign(bondEntry, entry, by, at)]
  }
  const verdict = (by: string, accused: string, at: number) =>
    sign(
      faultVerdict,
      { evidence: digest('e'), accused: pub(accused), rule: 'E1', proven: true, penalty: 1_000n, says: '' },
      by,
      at,
    )

  test('a bond in force of a router counts; without, ended, of a node, forked or taken by another one asked it does not', async () => {
    const { options, hub, clock } = await desk()
    const at = seconds(clock)
    const names = ['good', 'none', 'ended', 'as node', 'forked', 'guilty', 'slandered']
    const [, entry] = locked('forked', at)
    const more = { bond: 'b', act: 'lock', units: 9_000n, at, seq: 0 } as const
    const all = [
      ...locked('good', at),
      ...locked('ended', at - 40 * day, { lockedAt: at - 40 * day, expiresAt: at - 10 * day }),
      ...locked('as node', at, { role: 'node' }),
      ...[...locked('forked', at), sign(bondEntry, more, 'forked', at)],
      ...[...locked('guilty', at), verdict('good', 'guilty', at)],
      ...[...locked('slandered', at), verdict('stranger', 'slandered', at), verdict('slandered', 'slandered', at)],
    ]
    for (const event of all) await hub.connect().publish(event)
    const found = await bondedRouters({ ...options, verify: keys.verify }, names.map(pub))
    expect(names.filter(name => found.has(pub(name)))).toEqual(['good', 'slandered'])
    expect([entry?.kind, NOW > 0]).toEqual([bondEntry.number, true])
  })
})
