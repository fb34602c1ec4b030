/** Levels of privacy as a client holds them: who is not asked, what leaves in which cover, and what is believed. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Announcement, cancel, ephemeralWrap, isSealed, type Privacy } from '../kinds/index.ts'
import type { Filter, Relays } from '../relays/relay.ts'
import type { Question } from '../src/client/client.ts'
import { handClock } from '../src/clock.ts'
import { type Desk, openDesk } from './client-desk.ts'
import { openMarket } from './market.ts'
import { inEveryWorld, memoryWorld } from './worlds.ts'

let desk: Desk
beforeEach(async () => {
  desk = await openDesk(await memoryWorld())
})
afterEach(() => desk.close())

const at = (privacy: Privacy, facts: Partial<Announcement> = {}): Partial<Question> => ({
  privacy,
  node: { pubkey: desk.node, announcement: desk.announcement({ privacy: [0, 1, 2, 3], ...facts }) },
  ...(privacy === 3 ? { own: [desk.node] } : {}),
})

describe('a node that does not keep the level', () => {
  const stranger = 'c'.repeat(64)
  test.each<[string, () => Partial<Question>]>([
    [
      '1, of one that opens nothing',
      () => ({ node: { pubkey: desk.node, announcement: desk.announcement({ encrypted: false }) } }),
    ],
    ['0, of one that takes no open jobs', () => at(0, { privacy: [1] })],
    ['1, of one that takes wraps alone', () => at(1, { privacy: [2] })],
    ['2, of one that opens seals alone', () => at(2, { privacy: [0, 1] })],
    ['2, of one that has not announced itself', () => ({ privacy: 2, node: { pubkey: desk.node } })],
    ['3, of one that is not the own', () => ({ ...at(3), own: [stranger] })],
    ['3, with no own ones', () => ({ ...at(3), own: [] })],
    ['3, of an own one that does not keep it', () => at(3, { privacy: [1, 2] })],
    ['2, under escrow', () => ({ ...at(2), terms: { word: 'escrow', verifier: stranger } })],
    [
      '2, of one that shares its price',
      () => at(2, { splits: [{ pubkey: stranger, relay: 'wss://a.example', weight: 1 }] }),
    ],
    ['1, of nobody in particular', () => ({ privacy: 1 })],
  ])('is not asked for level %s: nothing is published', async (_, wish) => {
    const { node, ...rest } = wish()
    const whole = { text: 'a secret', capMsats: 0n, ...rest, ...(node ? { node } : {}) }
    const before = desk.world.seen.length
    const outcome = await desk.client.ask(whole)
    expect(outcome).toMatchObject({ ok: false, code: 'privacy', msats: 0n, job: { state: 'refused' } })
    expect(outcome.says).toMatch(/--|choose/i)
    expect(outcome.privacy).toMatchObject({ readers: [{ who: 'you' }], transport: { relays: [] } })
    expect(desk.world.seen.length).toBe(before)
    expect(desk.journal.jobs.unfinished('client')).toEqual([])
  })

  test('of several is passed over by a routed question', async () => {
    const outcome = await desk.client.askRouted({ text: 'x', routers: [], capMsats: 0n, privacy: 2 })
    expect(outcome).toMatchObject({ ok: false })
    expect(desk.world.seen.filter(({ kind }) => kind === 5050 || kind === ephemeralWrap.number)).toEqual([])
  })
})

describe('what leaves, and what is kept of it', () => {
  test('level 0: in the open, because it was asked for', async () => {
    const asking = desk.ask({ text: 'loud', ...at(0) })
    const job = await desk.next()
    expect(job).toMatchObject({ cover: 'open', value: { privacy: 0 } })
    await job.result({ text: 'aloud' })
    const { privacy } = await asking
    expect(privacy).toMatchObject({ level: 0, wanted: 0, transport: { request: 'open', answers: 'open' } })
    expect(privacy.readers.map(({ who }) => who)).toEqual(['you', 'node', 'everybody'])
  })

  test('level 1 is what is meant where nothing is said', async () => {
    const asking = desk.ask({ text: 'a secret' })
    const job = await desk.next()
    await job.say({ status: 'processing', says: '', content: '' })
    await job.frame(0, 'a ')
    await job.result({ text: 'a word' })
    const { privacy } = await asking
    expect(privacy).toMatchObject({ level: 1, wanted: 1, transport: { request: 'sealed', answers: 'sealed' } })
    expect(privacy.readers).toEqual([
      { who: 'you', why: expect.any(String) },
      { who: 'node', pubkey: desk.node, why: expect.any(String) },
    ])
    expect(privacy.identity).toEqual({ kind: 'own', pubkey: desk.client.pubkey })
    expect(JSON.stringify(desk.world.seen)).not.toContain('secret')
  })

  test('a frame in the open: the answer is taken, and everybody is said to have read it', async () => {
    const asking = desk.ask({ text: 'a secret' })
    const job = await desk.next()
    await job.frame(0, 'loud', false, 'open')
    await job.result({ text: 'loud words' })
    const outcome = await asking
    expect(outcome).toMatchObject({ ok: true, text: 'loud words', privacy: { level: 0, wanted: 1 } })
    expect(outcome.privacy.readers.at(-1)).toMatchObject({ who: 'everybody' })
    expect(outcome.privacy.transport.answers).toBe('open')
  })

  test.each([2, 3] as const)('level %i: nothing but wraps, from a key of one job to the node and back', async level => {
    const before = desk.world.seen.length
    const asking = desk.ask({ text: 'a secret', routing: 'd'.repeat(64), ...at(level) })
    const job = await desk.next()
    expect(job).toMatchObject({ cover: 'wrapped', value: { privacy: level } })
    expect([job.value.routing, job.value.receipt]).toEqual([undefined, false])
    // Also inside: who unpacks a wrap by mistake publishes no plaintext.
    expect(isSealed(job.request)).toBe(true)
    await job.say({ status: 'processing', says: '', content: '' })
    await job.frame(0, 'a ')
    await job.result({ text: 'a word' })
    const { ok, text, privacy } = await asking
    expect([ok, text]).toEqual([true, 'a word'])
    expect(privacy).toMatchObject({ level, wanted: level, identity: { kind: 'one-job' } })
    expect(privacy.transport).toMatchObject({ request: 'wrapped', answers: 'wrapped' })
    expect(privacy.retention).not.toHaveProperty('relaysUntil')
    const seen = desk.world.seen.slice(before)
    expect(new Set(seen.map(({ kind }) => kind))).toEqual(new Set([ephemeralWrap.number]))
    // Every wrap is signed by a key of its own.
    expect(new Set(seen.map(({ pubkey }) => pubkey)).size).toBe(seen.length)
    expect(JSON.stringify(seen)).not.toContain(desk.client.pubkey)
    expect(JSON.stringify(seen)).not.toContain(job.request.id)
  })

  test('level 2: no zap request, whose receipt would name the job; level 1 has one', async () => {
    const priced = (privacy: Privacy) =>
      desk.ask({ text: 'x', capMsats: 5_000n, ...at(privacy, { priceMsats: 2_000n }) })
    void priced(2).catch(() => {})
    expect((await desk.next()).value.receipt).toBe(false)
    void priced(1).catch(() => {})
    expect((await desk.next()).value.receipt).toBe(true)
    await desk.letter(9_734)
    expect(desk.mail.filter(({ event }) => event.kind === 9_734)).toHaveLength(1)
  })

  test('level 2: who waits long asks the node again in a wrap, and no relay', async () => {
    const clock = handClock()
    const world = await memoryWorld(clock)
    const relays = world.connect()
    const questions: Filter[] = []
    const listen: Relays['listen'] = (filters, options, signal) => {
      questions.push(...filters)
      return relays.listen(filters, options, signal)
    }
    const patient = await openDesk(world, { relays: { ...relays, listen } })
    const node = { pubkey: patient.node, announcement: patient.announcement({ privacy: [1, 2] }) }
    for (const privacy of [2, 1] as const) {
      questions.length = 0
      void patient.ask({ text: 'x', ttlSeconds: 100, privacy, node })
      const { request } = await patient.next()
      const before = patient.mail.length
      await clock.advance(25_000)
      const came = patient.mail.slice(before).filter(({ event }) => event.id === request.id)
      expect(came).toMatchObject([{ wrapped: true }])
      expect(JSON.stringify(questions).includes(request.id)).toBe(privacy === 1)
    }
    await patient.close()
  })

  test('level 2: a withdrawal is in a wrap too', async () => {
    const stop = new AbortController()
    const asking = desk.ask({ text: 'a secret', ...at(2) }, stop.signal)
    await desk.next()
    stop.abort()
    expect(await asking).toMatchObject({ code: 'cancelled', privacy: { level: 2 } })
    expect(await desk.letter(cancel.number)).toMatchObject({ wrapped: true })
    expect(desk.world.seen.map(({ kind }) => kind)).not.toContain(cancel.number)
  })

  test.each(['open', 'sealed'] as const)('level 2: an answer that comes %s is none, and is told of', async cover => {
    const asking = desk.ask({ text: 'a secret', ...at(2) })
    const job = await desk.next()
    await job.frame(0, 'false', false, cover)
    await job.result({ text: 'false' }, cover)
    await job.result({ text: 'true' })
    const outcome = await asking
    expect(outcome).toMatchObject({ ok: true, text: 'true', privacy: { level: cover === 'open' ? 0 : 1, wanted: 2 } })
    expect(outcome.privacy.transport.answers).toBe(cover)
    expect(desk.events.filter(({ event }) => event === 'chunk')).toEqual([{ event: 'chunk', text: 'true' }])
  })

  test('level 2 goes on in wraps after a restart, and tells no relay which job it is', async () => {
    const life = new AbortController()
    const first = desk.ask({ text: 'a secret', giveUp: life.signal, ...at(2) })
    const job = await desk.next()
    life.abort()
    await first
    const [resumed] = desk.again().resume()
    await job.result({ text: 'late' })
    expect(await resumed?.outcome).toMatchObject({ ok: true, text: 'late', privacy: { level: 2, wanted: 2 } })
    const open = desk.world.seen.filter(({ kind }) => kind !== ephemeralWrap.number)
    expect(JSON.stringify(open)).not.toContain(job.request.id)
  })
})

inEveryWorld('a node of ours and a client of ours', open => {
  test.each([
    [1, 'sealed', 'own'],
    [2, 'wrapped', 'own'],
    [1, 'sealed', 'one-job'],
    [2, 'wrapped', 'one-job'],
  ] as const)('keep level %i to the paid end, %s, key: %s', async (privacy, cover, identity) => {
    const market = await openMarket(await open(), { client: { identity } })
    const outcome = await market.ask({ text: 'the secret words', privacy })
    expect(outcome).toMatchObject({ ok: true, text: 'the secret words', msats: 2_000n, privacy: { wanted: privacy } })
    expect(outcome.privacy).toMatchObject({ level: privacy, transport: { request: cover, answers: cover } })
    expect(outcome.privacy.identity.kind).toBe(privacy === 2 ? 'one-job' : identity)
    await market.close()
  })
})
