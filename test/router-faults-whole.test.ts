/** The whole router over relays: stake that is heard, fades and is taken, offenders that are named no more, peers that are asked no more. */
import { describe, expect, test } from 'vitest'
import {
  bond,
  bondEntry,
  type Event,
  faultEvidence,
  faultVerdict,
  type Kind,
  quoteRequest,
  routing,
  textResult,
} from '../kinds/index.ts'
import { verifyEvent } from '../src/cli/verifying/verify.ts'
import { sha256Hex } from '../src/hash.ts'
import { openRouter, type RouterEvent, type RouterOptions } from '../src/router/router.ts'
import { openPolicy } from '../src/routing/index.ts'
import { routerWorld } from './router-world.ts'

const day = 86_400

async function town() {
  const world = await routerWorld()
  const relays = world.connect()
  const publish = async (...events: Event[]) => {
    for (const event of events) await relays.publish(event)
    await world.clock.advance(200)
  }
  const person = () => {
    const secret = world.secretOf()
    return {
      secret,
      pubkey: world.keys.publicKey(secret),
      sign: <V>(kind: Kind<V>, value: V, at = world.now()) => world.keys.sign(kind.write(value, at), secret),
    }
  }
  type Person = ReturnType<typeof person>
  /** A node of which the test has the key. */
  async function node() {
    // The world counts its keys: the one that its next node gets is known.
    const known: Uint8Array[] = []
    const one = await world.node()
    for (let n = 1; n < 60 && known.length === 0; n++) {
      const secret = new Uint8Array(32).fill(n)
      if (world.keys.publicKey(secret) === one.pubkey) known.push(secret)
    }
    const secret = known[0] ?? new Uint8Array(32)
    const sign = <V>(kind: Kind<V>, value: V, at = world.now()) => world.keys.sign(kind.write(value, at), secret)
    return { ...one, secret, sign }
  }
  async function router(options: Partial<RouterOptions> = {}) {
    const events: RouterEvent[] = []
    const secret = world.secretOf()
    const one = openRouter({
      ...{ relays: world.connect(), keys: world.keys, secret, clock: world.clock, policy: openPolicy() },
      onEvent: event => events.push(event),
      ...options,
    })
    await world.clock.advance(50)
    await one.ready
    return {
      ...one,
      secret,
      events,
      told: (event: RouterEvent['event']) => events.filter(said => said.event === event),
    }
  }
  const stake = (by: Pick<Person, 'sign'>, role: 'node' | 'router', days: number, units = 1_000n) => {
    const at = world.now()
    return [
      by.sign(bond, { id: 'b', units, proof: 'abstract', lockedAt: at, expiresAt: at + days * day, role }),
      by.sign(bondEntry, { bond: 'b', act: 'lock', units, at, seq: 0 }),
    ]
  }
  const answers = (by: Pick<Person, 'sign'>, job = sha256Hex('job')) =>
    ['Yes.', 'No.'].map(text => by.sign(textResult, { job, customer: sha256Hex('customer'), text }))
  const verified = async (event: Event) =>
    verifyEvent(event, {
      relays: world.connect(),
      verify: world.keys.verify,
      now: world.now(),
      signal: AbortSignal.timeout(20_000),
    })
  const shown = (kind: number, by: string) => [
    ...new Map(world.seen.filter(one => one.kind === kind && one.pubkey === by).map(one => [one.id, one])).values(),
  ]
  return { ...world, publish, person, node, router, stake, answers, verified, shown }
}

describe('stake', () => {
  test('moves a score by a tenth at most, fades, and goes by the verdict of a trusted judge alone', async () => {
    const world = await town()
    const [judge, stranger] = [world.person(), world.person()]
    const router = await world.router({ judging: { stakeRef: 1_000, trusted: [judge.pubkey] } })
    const [poor, rich, richest] = [await world.node(), await world.node(), await world.node()]
    await world.publish(...world.stake(rich, 'node', 90), ...world.stake(richest, 'node', 90, 10n ** 12n))
    const scored = (node: { pubkey: string }, at = world.now()) => router.book.scored(node.pubkey, 5050, 'echo', at)
    expect([poor, rich, richest].map(node => scored(node).factors.K)).toEqual([1, 1.1, 1.1])
    for (const node of [rich, richest]) expect(scored(node).score).toBeLessThanOrEqual(scored(poor).score * 1.1 + 1e-6)
    expect(scored(rich, world.now() + 45 * day).factors.K).toBeCloseTo(1.05, 2)
    expect(scored(rich, world.now() + 90 * day).factors.K).toBe(1)
    const said = await world.asker().ask(router.pubkey, {}, 2_000)
    expect(said?.candidates.find(({ node }) => node === rich.pubkey)?.factors.K).toBeCloseTo(1.1, 3)
    const verdict = {
      evidence: sha256Hex('e'),
      accused: rich.pubkey,
      rule: 'E1',
      proven: true,
      penalty: 1_000n,
      says: '',
    }
    await world.publish(stranger.sign(faultVerdict, verdict), rich.sign(faultVerdict, verdict))
    expect(scored(rich).factors.K).toBeGreaterThan(1.09)
    await world.publish(judge.sign(faultVerdict, verdict))
    expect(scored(rich).factors.K).toBe(1)
    // A stolen or forged bond is nobody's.
    const [copied] = world.stake(rich, 'node', 90)
    await world.publish({ ...(copied as Event), pubkey: poor.pubkey })
    expect(scored(poor).factors.K).toBe(1)
    await router.close()
    await world.close()
  })
})

describe('a node that was caught', () => {
  test('is named no more; evidence, verdict and label can be made again from the relays', {
    timeout: 30_000,
  }, async () => {
    const world = await town()
    const router = await world.router({ judging: { stakeRef: 1_000 } })
    const [good, bad] = [await world.node(), await world.node()]
    await world.publish(...world.stake(bad, 'node', 90))
    const asker = world.asker()
    expect((await asker.ask(router.pubkey))?.candidates.map(({ node }) => node).toSorted()).toEqual(
      [good.pubkey, bad.pubkey].toSorted(),
    )
    const accuser = world.person()
    const evidence = { rule: 'E1', accused: bad.pubkey, events: world.answers(bad), opened: {}, says: '' }
    await world.publish(accuser.sign(faultEvidence, evidence))
    await world.clock.advance(2_000)
    expect(router.told('verdict')).toMatchObject([{ event: 'verdict', says: `E1 proven: ${bad.pubkey}` }])
    expect((await asker.ask(router.pubkey))?.candidates.map(({ node }) => node)).toEqual([good.pubkey])
    const [verdict] = world.shown(faultVerdict.number, router.pubkey)
    const read = verdict && faultVerdict.read(verdict)
    expect(read?.ok && read.value).toMatchObject({ accused: bad.pubkey, rule: 'E1', proven: true, penalty: 1_000n })
    expect(verdict && (await world.verified(verdict))).toMatchObject({ ok: true, what: 'verdict' })
    const [shown] = world.shown(faultEvidence.number, accuser.pubkey)
    expect(shown && (await world.verified(shown))).toMatchObject({ ok: true, what: 'fault' })
    const [label] = world.shown(1985, router.pubkey)
    const checked = label && (await world.verified(label))
    expect(checked?.checks.filter(({ ok }) => ok === false)).toEqual([])
    await router.close()
    await world.close()
  })

  test('by what the router heard itself is accused, judged and out', async () => {
    const world = await town()
    const router = await world.router()
    const bad = await world.node()
    await world.publish(...world.answers(bad))
    await world.clock.advance(2_000)
    expect(router.told('evidence')).toMatchObject([{ says: `E1 against ${bad.pubkey}` }])
    expect(world.shown(faultEvidence.number, router.pubkey).length).toBe(1)
    expect((await world.asker().ask(router.pubkey))?.refusal?.code).toBe('banned')
    // Another router believes the bytes, not the router.
    const other = await world.router()
    await world.clock.advance(2_000)
    expect(other.told('verdict')).toMatchObject([{ says: `E1 proven: ${bad.pubkey}` }])
    await router.close()
    await other.close()
    await world.close()
  })
})

test('a router that was caught is asked no more', async () => {
  const world = await town()
  const router = await world.router()
  const liar = world.person()
  const asker = world.asker()
  const sheet = { pubkey: liar.pubkey, secret: liar.secret, book: router.book } as Parameters<typeof world.sheet>[0]
  await world.sheet(sheet, 9)
  await asker.ask(router.pubkey, { hops: 1 }, 4_000)
  expect(router.told('forwarded')).toMatchObject([{ asked: [liar.pubkey] }])
  expect(router.peers()).toEqual([liar.pubkey])
  const asked = asker.request(liar.pubkey)
  const read = quoteRequest.read(asked)
  const said = (seq: number, seed: string) =>
    liar.sign(routing, {
      ...{ request: asked.id, to: asked.pubkey, asked, policy: 'default', params: sha256Hex('p'), lane: 'bootstrap' },
      ...{ at: world.now(), seq, prev: sha256Hex(`${seq}`), seed: sha256Hex(seed), commit: sha256Hex('c'), median: 0 },
      ...{ start: 0, sample: [], candidates: [], refused: {}, via: [], refusal: { code: seed, says: 'No.' } },
    })
  expect(read.ok).toBe(true)
  await world.publish(said(1, 'full'), said(1, 'no-node'))
  await world.clock.advance(4_000)
  expect(router.told('verdict')).toMatchObject([{ says: `E1 proven: ${liar.pubkey}` }])
  await asker.ask(router.pubkey, { hops: 1 }, 4_000)
  expect(router.told('forwarded').length).toBe(1)
  expect([router.peers(), router.book.offends(liar.pubkey)]).toEqual([[], true])
  await router.close()
  await world.close()
})
