/** Evidence that anybody brings to a router: what is proven bans, what is not changes nothing. */
import { describe, expect, test } from 'vitest'
import { bond, bondEntry, type Event, faultEvidence, textRequest, textResult } from '../kinds/index.ts'
import { proven } from './faults-proven.ts'
import { jobOf, NOW, pub, resultOf, routeOf, sign, usageOf, wordOf } from './faults-world.ts'
import { pubOf } from './router-book-world.ts'
import { faultsWorld } from './router-faults-world.ts'

const job = jobOf()
const twoAnswers = [resultOf(job.id), resultOf(job.id, { text: 'Magic.' })]
/** They rest on what others heard, or on parameters that only their test knows. */
const open = new Set(['three paid jobs and silence', 'a bill to a foreign Lightning node', 'the last one first'])

describe('proven evidence', () => {
  test.each(proven.filter(({ says }) => !open.has(says)))('$rule, $says: the offender is out', async one => {
    const world = await faultsWorld()
    world.nodes('node', 'second')
    world.routers('router')
    const { accused = pub('node') } = one.change ?? {}
    await world.accuse(one.rule, one.events, one.change)
    expect(world.verdicts()).toMatchObject([{ accused, rule: one.rule, proven: true }])
    expect(world.book.offends(accused)).toBe(true)
    if (accused === pub('node')) {
      expect(world.faults()).toMatchObject([{ topic: 'audit', label: 'failed', code: one.rule, node: accused }])
      expect(world.book.market(textRequest.number).get(accused)?.stage).toBe('banned')
    } else expect(world.faults()).toEqual([])
    expect(world.stage('second')).not.toBe('banned')
    expect(world.troubles()).toEqual([])
  })

  test.each(proven.filter(({ says }) => open.has(says)))(
    '$rule, $says: nobody is out for what others say',
    async one => {
      const world = await faultsWorld({ trusted: ['ear one', 'ear two'].map(pub) })
      world.nodes('node')
      world.routers('router')
      await world.accuse(one.rule, one.events, one.change)
      expect([world.verdicts(), world.faults(), world.stage('node')]).toEqual([[], [], 'new'])
    },
  )

  test('names the evidence and the statements that it needs, and no others', async () => {
    const world = await faultsWorld()
    world.nodes('node')
    const idle = [usageOf(job.id), wordOf(job.id, { code: 'runner' }), resultOf(jobOf({ seed: 9 }).id)]
    const evidence = await world.accuse('E1', [...idle, ...twoAnswers])
    const [label] = world.faults()
    expect(label?.evidence).toEqual([evidence.id, ...twoAnswers.map(({ id }) => id)])
    expect(label).toMatchObject({ job: job.id, kind: textRequest.number, failed: ['E1'] })
  })

  test('of one case is said once, by whomever it is shown and with whatever beside it', async () => {
    const world = await faultsWorld()
    world.nodes('node')
    await world.accuse('E1', twoAnswers)
    await world.accuse('E1', twoAnswers.toReversed())
    await world.accuse('E1', [...twoAnswers, usageOf(job.id), resultOf(jobOf({ seed: 9 }).id)])
    expect([world.verdicts().length, world.faults().length]).toEqual([1, 1])
    const other = jobOf({ seed: 2 })
    await world.accuse('E1', [resultOf(other.id), resultOf(other.id, { text: 'Magic.' })])
    expect(world.verdicts().length).toBe(2)
  })

  test('of one rule against one key is said eight times at most', async () => {
    const world = await faultsWorld()
    world.nodes('node')
    for (let seed = 0; seed < 12; seed++) {
      const { id } = jobOf({ seed })
      await world.accuse('E1', [resultOf(id), resultOf(id, { text: 'Magic.' })])
    }
    expect(world.verdicts().length).toBe(8)
  })

  test('against somebody who announces later counts from then on', async () => {
    const world = await faultsWorld()
    await world.accuse('E1', twoAnswers)
    expect(world.verdicts()).toEqual([])
    world.nodes('node')
    await world.judged()
    expect([world.verdicts().length, world.stage('node')]).toEqual([1, 'banned'])
  })

  test('against a router counts as soon as it is a node', async () => {
    const world = await faultsWorld()
    world.routers('node')
    await world.accuse('E1', twoAnswers)
    expect([world.verdicts().length, world.faults().length]).toEqual([1, 0])
    world.nodes('node')
    await world.settle(10)
    expect([world.verdicts().length, world.faults().length, world.stage('node')]).toEqual([1, 1, 'banned'])
  })

  test('stays known over a kill, and is not said twice', async () => {
    const world = await faultsWorld()
    world.nodes('node')
    world.routers('router')
    const evidence = await world.accuse('E1', twoAnswers)
    await world.accuse('E1', [routeOf(job), routeOf(job, { seq: 2 })], { accused: pub('router') })
    await world.restart(true)
    world.nodes('node')
    world.hear(evidence)
    await world.judged()
    await world.accuse('E1', twoAnswers)
    expect(world.book.offends(pub('router'))).toBe(true)
    expect([world.verdicts().length, world.faults().length, world.stage('node')]).toEqual([2, 1, 'banned'])
  })

  test('takes stake as the rule says, and keeps it taken over a kill', async () => {
    const world = await faultsWorld()
    world.nodes('node')
    const at = world.now()
    const locked = {
      id: 'b',
      units: 1_000n,
      proof: 'abstract',
      lockedAt: at,
      expiresAt: at + 86_400,
      role: 'node',
    } as const
    const papers = [
      sign(bond, locked, 'node', at),
      sign(bondEntry, { bond: 'b', act: 'lock', units: 1_000n, at, seq: 0 }, 'node', at),
    ]
    world.hear(...papers)
    const K = () => world.book.scored(pub('node'), textRequest.number, 'nano', at).factors.K
    expect(K()).toBe(1.1)
    await world.accuse('E3', proven.find(({ rule }) => rule === 'E3')?.events ?? [])
    expect(world.verdicts()).toMatchObject([{ rule: 'E3', penalty: 500n }])
    expect(K()).toBe(1.05)
    await world.restart(true)
    world.nodes('node')
    world.hear(...papers)
    expect(K()).toBe(1.05)
  })
})

describe('evidence that proves nothing', () => {
  test('is passed over, except to the customer of a job that this router sent there', async () => {
    const world = await faultsWorld()
    world.nodes('node')
    world.world.nodes('sent')
    const routing = await world.route('customer', ['sent'])
    const { request, result, usage } = world.job('one', { routing: routing.id, node: 'sent' })
    world.hear(request)
    const accuse = async (by: string, events: Event[], accused = pubOf('sent')) => {
      const value = { rule: 'E1', accused, events, opened: {}, says: '' }
      world.hear(world.sign(faultEvidence.write(value, world.now()), by))
      await world.judged()
    }
    await accuse('stranger', [result])
    await accuse('customer', [resultOf(job.id)], pub('node'))
    expect(world.verdicts()).toEqual([])
    await accuse('customer', [result])
    await accuse('customer', [result, usage])
    expect(world.verdicts()).toMatchObject([{ rule: 'E1', proven: false, penalty: 0n, accused: pubOf('sent') }])
    expect(world.book.offends(pubOf('sent'))).toBe(false)
    const other = world.sign(textResult.write({ job: request.id, customer: request.pubkey, text: 'No.' }, NOW), 'sent')
    await accuse('customer', [result, other])
    expect(world.verdicts()).toMatchObject([{ proven: false }, { proven: true }])
  })

  test('against this router itself, or by an unknown rule, gets no word', async () => {
    const world = await faultsWorld()
    world.nodes('node')
    await world.accuse('E5', twoAnswers)
    await world.accuse('E9', [routeOf(job), ...twoAnswers], { accused: pub('node') })
    expect(world.verdicts()).toEqual([])
  })
})

describe('bounds', () => {
  test('one author is read six times a minute, and all of them together a limited number', async () => {
    const world = await faultsWorld()
    world.nodes('node')
    const junk = (seed: number) => world.accusing('E1', [resultOf(jobOf({ seed }).id)], {}, 'loud')
    world.hear(...Array.from({ length: 6 }, (_, seed) => junk(seed)))
    await world.judged()
    await world.accuse('E1', twoAnswers, {}, 'loud')
    expect(world.verdicts()).toEqual([])
    await world.accuse('E1', [...twoAnswers, usageOf(job.id)], {}, 'quiet')
    expect(world.verdicts().length).toBe(1)
  })
})
