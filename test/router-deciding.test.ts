/** Whatever the market, the request and the quotes: what is published is written, read and decided again the same. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { handler, heartbeat, type QuoteRequest, quoteRequest, routing } from '../kinds/index.ts'
import { memoryHub } from '../relays/memory.ts'
import { handClock, seconds } from '../src/clock.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { openKeys } from '../src/keys.ts'
import { defaultParams } from '../src/ledger/index.ts'
import { openAgreement } from '../src/router/agreement.ts'
import type { Quoted } from '../src/router/auction.ts'
import { openDeciding } from '../src/router/deciding.ts'
import { openLoad } from '../src/router/load.ts'
import { openPolicy } from '../src/routing/index.ts'
import { doubleBook } from './router-double.ts'

const keys = await openKeys()
const clock = handClock()
const now = seconds(clock)
const secrets = Array.from({ length: 70 }, (_, index) => new Uint8Array(32).fill(index + 1))
const nodes = secrets.map(keys.publicKey)
const [askerSecret = keys.newSecret()] = secrets
const agrees = openAgreement(defaultParams)
const relays = memoryHub({ clock }).connect()

/** Signed once: signatures are dear. */
const announced = secrets.map((secret, index) =>
  keys.sign(
    handler.write(
      {
        ...{ id: 'n', kinds: [5050], topics: [], name: '', about: '', encrypted: true, nodeKeys: [], zappers: [] },
        ...{ priceMsats: BigInt(index * 100), models: [], custodial: false, relays: [], v: 1 },
      },
      now,
    ),
    secret,
  ),
)
const beats = secrets.map(secret =>
  keys.sign(heartbeat.write({ service: 'n', status: '', expiresAt: now + 600, text: '' }, now), secret),
)

const node = fc.record({
  good: fc.nat({ max: 40 }),
  bad: fc.nat({ max: 6 }),
  alive: fc.boolean(),
  fault: fc.integer({ min: 0, max: 30 }),
})
const bid = fc.record({
  node: fc.nat({ max: nodes.length - 1 }),
  msats: fc.bigInt({ min: 0n, max: 20_000n }),
  firm: fc.boolean(),
  free: fc.nat({ max: 3 }),
  lives: fc.integer({ min: -5, max: 30 }),
})
const wish = fc.record(
  {
    capMsats: fc.bigInt({ min: 0n, max: 20_000n }),
    minScore: fc.nat({ max: 60 }),
    deadlineMs: fc.integer({ min: 1, max: 60_000 }),
    allow: fc.uniqueArray(fc.constantFrom(...nodes), { maxLength: 4 }),
    deny: fc.uniqueArray(fc.constantFrom(...nodes), { maxLength: 20 }),
    privacy: fc.constantFrom<0 | 1 | 2 | 3>(0, 1, 2),
  },
  { requiredKeys: [] },
)

test.each(['default', 'cheapest', 'fastest', 'trusted', 'proven|cheapest'])('%s', { timeout: 60_000 }, async name => {
  const policy = openPolicy(name)
  const asked = fc.record({
    known: fc.array(node, { maxLength: nodes.length }),
    bids: fc.uniqueArray(bid, { maxLength: 8, selector: ({ node: index }) => index }),
    wish,
    named: fc.array(fc.nat({ max: nodes.length - 1 }), { maxLength: 20 }),
    salt: fc.integer({ min: 1, max: 1_000_000 }),
  })
  let routed = 0
  await fc.assert(
    fc.asyncProperty(asked, async ({ known, bids, wish: wished, named, salt }) => {
      const tell = () => {}
      const opening = { ...{ relays, keys, secret: askerSecret, clock, journal: memoryJournal() }, tell }
      const book = doubleBook({ ...opening, params: defaultParams, policy: name, feeMsats: 0n })
      for (const [index, { good, bad, alive, fault }] of known.entries()) {
        const [event, beat, pubkey] = [announced[index], beats[index], nodes[index]]
        if (!event || !beat || !pubkey) continue
        book.heard(event)
        if (alive) book.heard(beat)
        for (let i = 0; i < good; i++)
          book.learn(
            pubkey,
            { fact: 'served', at: now - 500 + i, weight: 1 },
            { fact: 'audit', at: now - 500 + i, passed: true },
          )
        for (let i = 0; i < bad; i++) book.learn(pubkey, { fact: 'failed', at: now - 100 + i, weight: 1 })
        if (fault === 1) book.learn(pubkey, { fact: 'fault', at: now - 50 })
      }
      const load = openLoad(clock)
      for (const index of named) load.named(nodes[index] ?? '')
      const request: QuoteRequest = {
        ...{
          kind: 5050,
          privacy: 0,
          allow: [],
          deny: [],
          auctionMs: 500,
          hops: 0,
          to: [],
          relays: [],
          maxTokens: salt,
        },
        expiresAt: now + 60,
        ...wished,
      }
      const event = keys.sign(quoteRequest.write(request, now), askerSecret)
      const quotes: Quoted[] = bids.map(({ node: index, msats, firm, free, lives }) => ({
        ...{ request: event.id, to: event.pubkey, kind: 5050, msats, firm, reserve: 'none', terms: [], free },
        ...{ expiresAt: now + lives, node: nodes[index] ?? '', id: 'ab'.repeat(32) },
      }))
      const market = book.market(5050)
      const before = nodes.map(one => JSON.stringify(market.get(one)))
      const deciding = openDeciding({ book, policy, params: defaultParams, load })
      const written = await book.append(place =>
        routing.write({ ...deciding.rule({ asked: event, request, quotes }, place, now), via: [] }, now),
      )
      const read = routing.read(written)
      if (!read.ok) throw new Error(read.says)
      const { value } = read
      expect(agrees(value, request)).toBe(true)
      // What was laid over the market for one request is gone after it.
      expect(nodes.map(one => JSON.stringify(market.get(one)))).toEqual(before)
      const dead = quotes.filter(({ expiresAt }) => expiresAt <= now).map(one => one.node)
      for (const one of value.candidates) {
        expect(one.msats <= (request.capMsats ?? one.msats)).toBe(true)
        expect(dead.includes(one.node)).toBe(false)
        expect(request.deny.includes(one.node)).toBe(false)
        expect(one.reasons.length).toBeGreaterThan(0)
        expect(one.stage).not.toBe('banned')
      }
      if (value.candidates.length > 0) routed++
      await book.close()
    }),
    { numRuns: 250 },
  )
  expect(routed).toBeGreaterThan(3)
})
