import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BilledTerms, WishedTerms } from '../kinds/index.ts'
import { checkQuote, type EarlierOrder, type QuoteRule, type QuoteTerms } from '../src/payments/guard.ts'
import { sha256Hex } from '../src/payments/hash.ts'
import { announcedKey, type Made, make, ownKey, request, start } from './guard-world.ts'

const runs = 10_000
const [job, otherJob, node, stranger, me] = ['job', 'other job', 'node', 'stranger', 'me'].map(sha256Hex) as [
  string,
  string,
  string,
  string,
  string,
]
const amounts = [1n, 999n, 10_000n, 19_999n, 20_000n, 20_001n, 1_000_000n]
const fair = make('fair')
const invoices: readonly Made[] = [
  ...amounts.map(msats => make(`of ${msats}`, { msats })),
  make('open', { msats: 'open' }),
  make('mainnet', { network: 'mainnet' }),
  make('own', { by: 'own' }),
  make('stranger', { by: 'stranger' }),
  make('text', { text: true }),
  make('slow', { cltv: 289 }),
  make('short', { expirySeconds: 60 }),
]

/** Mostly what is right, so that a bill breaks no rule, or one, more often than all of them. */
const mostly = <T>(right: T, ...others: fc.Arbitrary<T>[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 12 * others.length, arbitrary: fc.constant(right) }, ...others)
const msats = fc.oneof(fc.constantFrom(...amounts), fc.bigInt(0n, 60_000n))
const wished: readonly WishedTerms[] = [
  { word: 'before' },
  { word: 'hold' },
  { word: 'parts', parts: 2 },
  { word: 'escrow', verifier: stranger },
]
const billed: readonly BilledTerms[] = [
  { word: 'hold' },
  { word: 'parts', parts: 2, part: 1 },
  { word: 'parts', parts: 2, part: 2 },
  { word: 'parts', parts: 3, part: 1 },
  { word: 'escrow', verifier: stranger },
  { word: 'escrow', verifier: me },
]
const order = fc.record({
  hash: fc.constantFrom(fair.hash, sha256Hex('earlier'), sha256Hex('earliest')),
  msats: fc.constantFrom(1n, 10_000n),
  state: fc.constantFrom<EarlierOrder['state'][]>('planned', 'paid', 'unproven', 'failed', 'failed', 'failed'),
})
const anyBill = fc.record({
  made: fc.oneof(
    { weight: 20, arbitrary: fc.constant<Made | undefined>(fair) },
    { weight: 8, arbitrary: fc.constantFrom(...invoices) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  ),
  garbage: mostly(false, fc.constant(true)),
  quotedJob: mostly(job, fc.constant(otherJob)),
  isOurs: mostly(true, fc.constant(false)),
  quotedBy: mostly(node, fc.constantFrom(stranger, me)),
  chosen: mostly<string | undefined>(node, fc.constantFrom(undefined, me)),
  msats: mostly<bigint | undefined>(20_000n, msats, fc.constant(undefined)),
  terms: mostly<BilledTerms | undefined>(undefined, fc.constantFrom(...billed)),
  wished: mostly<WishedTerms | undefined>(undefined, fc.constantFrom(...wished)),
  wallet: mostly<boolean>(true, fc.constant(false)),
  nodeKey: fc.constantFrom(undefined, ownKey),
  announced: mostly<bigint | undefined>(20_000n, msats, fc.constant(undefined)),
  bid: mostly<bigint | undefined>(undefined, msats),
  cap: mostly(50_000n, msats),
  caps: fc.record({
    hour: mostly<bigint | undefined>(60_000n, msats),
    day: mostly<bigint | undefined>(undefined, msats),
    peer: mostly<bigint | undefined>(undefined, msats),
  }),
  spent: fc.record({
    job: mostly(0n, msats),
    hour: mostly(0n, msats),
    day: mostly(0n, msats),
    peer: mostly(0n, msats),
  }),
  orders: mostly<readonly EarlierOrder[]>([], fc.array(order, { maxLength: 3 })),
  later: mostly(0, fc.nat(700)),
  seen: mostly(false, fc.constant(true)),
  nodeKeys: mostly<readonly string[] | undefined>([announcedKey, ownKey], fc.constantFrom(undefined, [], [ownKey])),
  descriptionHash: mostly<string | undefined>(request, fc.constantFrom(undefined, stranger)),
  hash: mostly<string | undefined>(undefined, fc.constantFrom(fair.hash, stranger)),
})
/** One in four is a first part as wished for, at a price that may be more than its share. */
const bill = fc.tuple(anyBill, fc.nat(3), fc.constantFrom(...invoices)).map(([one, parts, made]) => {
  if (parts > 0) return one
  const terms: BilledTerms = { word: 'parts', parts: 2, part: 1 }
  const wish: WishedTerms = { word: 'parts', parts: 2 }
  return { ...one, made, msats: made.msats, terms, wished: wish }
})
type Bill = typeof anyBill extends fc.Arbitrary<infer T> ? T : never

/** Leaves out what is undefined. */
const said = <T extends object>(parts: T) =>
  Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }

const termsOf = (b: Bill): QuoteTerms => ({
  ...{ job, quotedJob: b.quotedJob, ours: () => b.isOurs, self: [me], quotedBy: b.quotedBy },
  ...said({ chosen: b.chosen, msats: b.msats, terms: b.terms, wished: b.wished, announcedMsats: b.announced }),
  ...said({ bidMsats: b.bid, bolt11: b.garbage ? 'lnbcrt1garbage' : b.made?.bolt11 }),
  ...(b.wallet ? { wallet: { network: 'regtest', ...said({ nodeKey: b.nodeKey }) } } : {}),
  caps: { jobMsats: b.cap, ...said({ hourMsats: b.caps.hour, dayMsats: b.caps.day, peerDayMsats: b.caps.peer }) },
  spent: { jobMsats: b.spent.job, hourMsats: b.spent.hour, dayMsats: b.spent.day, peerDayMsats: b.spent.peer },
  orders: b.orders,
  now: start + b.later,
  seenHashes: () => b.seen,
  expected: said({ nodeKeys: b.nodeKeys, descriptionHash: b.descriptionHash, hash: b.hash }),
})

/** Every rule that a bill breaks, worked out from what was put into it, each by itself and in the dullest way. */
function brokenBy(b: Bill): Set<QuoteRule> {
  const broken = new Set<QuoteRule>()
  const when = (is: boolean, rule: QuoteRule) => void (is && broken.add(rule))
  const made = b.garbage ? undefined : b.made
  when(b.quotedJob !== job || !b.isOurs, 'not-ours')
  when(b.chosen !== undefined && b.chosen !== b.quotedBy, 'not-chosen')
  when(b.quotedBy === me || (b.nodeKey !== undefined && made?.payee === b.nodeKey), 'self-pay')
  const asks: BilledTerms = b.terms ?? { word: 'before' }
  const wish: WishedTerms = b.wished ?? { word: 'before' }
  const { part: _part, ...askedFor } = { part: 0, ...asks }
  when(asks.word !== 'before' && JSON.stringify(askedFor) !== JSON.stringify(wish), 'not-agreed')
  const left = b.orders.filter(({ state }) => state !== 'failed')
  const nextPart = asks.word === 'parts' && asks.part === left.length + 1 && left.every(o => o.state !== 'planned')
  when(asks.word === 'parts' ? !nextPart : left.length > 0, 'already-paying')
  when(!b.wallet, 'no-wallet')
  when(!b.garbage && made === undefined, 'no-invoice')
  when(b.garbage, 'bad-invoice')
  const before = left.reduce((sum, o) => sum + o.msats, 0n)
  for (const price of [b.msats, made?.msats]) {
    if (price === undefined) continue
    when(price > b.cap, 'over-cap')
    when(b.announced !== undefined && price + before > b.announced, 'over-announced')
    when(b.bid !== undefined && price + before > b.bid, 'over-bid')
    if (asks.word !== 'parts') continue
    const whole = [b.cap, b.announced, b.bid].filter(x => x !== undefined).reduce((x, y) => (x < y ? x : y))
    const share = (whole - 1n) / BigInt(asks.parts) + (whole === 0n ? 0n : 1n)
    when(price + before > share * BigInt(asks.part), 'over-part')
  }
  if (!made) return broken
  when(made.network !== 'regtest', 'wrong-network')
  when(made.msats === undefined, 'amountless')
  when(b.msats !== undefined && made.msats !== undefined && made.msats > b.msats, 'amount-mismatch')
  const over = (spent: bigint, cap?: bigint) => cap !== undefined && spent + (made.msats ?? 0n) > cap
  when(over(b.spent.job, b.cap), 'over-job')
  when(over(b.spent.hour, b.caps.hour), 'over-hour')
  when(over(b.spent.day, b.caps.day), 'over-day')
  when(over(b.spent.peer, b.caps.peer), 'over-peer')
  when(start + b.later + 5 >= made.expiresAt, 'expired')
  when(made.cltv > 288, 'cltv')
  when(b.nodeKeys !== undefined && !b.nodeKeys.includes(made.payee), 'payee-not-announced')
  when(b.descriptionHash !== undefined && b.descriptionHash !== made.descriptionHash, 'description-hash')
  when(b.hash !== undefined && b.hash !== made.hash, 'wrong-hash')
  when(b.seen || b.orders.some(o => o.hash === made.hash), 'hash-seen')
  return broken
}

describe('properties of the guard', () => {
  test(`whatever passes breaks no rule, whatever is refused breaks the rule that is named: ${runs} bills`, {
    timeout: 60_000,
  }, () => {
    const named = new Map<string, number>()
    fc.assert(
      fc.property(bill, b => {
        const terms = termsOf(b)
        const verdict = checkQuote(terms)
        const broken = brokenBy(b)
        named.set(verdict.ok ? 'ok' : verdict.rule, (named.get(verdict.ok ? 'ok' : verdict.rule) ?? 0) + 1)
        if (verdict.ok) {
          expect([...broken]).toEqual([])
          expect(verdict.order).toEqual({ bolt11: b.made?.bolt11, hash: b.made?.hash, msats: b.made?.msats })
        } else expect([...broken]).toContain(verdict.rule)
        // The same bill gets the same word, in whatever order it is told.
        const again = Object.fromEntries(Object.entries(terms).reverse()) as typeof terms
        expect(checkQuote(again)).toEqual(verdict)
      }),
      { numRuns: runs },
    )
    // Every rule was met, and enough bills passed: the property is not empty.
    expect(named.get('ok')).toBeGreaterThan(runs / 50)
    expect(named.size).toBe(26)
  })

  test(`no text for an invoice makes it throw: ${runs} texts`, { timeout: 60_000 }, () => {
    const { bolt11: _bolt11, ...terms } = termsOf(plain)
    const near = fc
      .tuple(fc.nat(fair.bolt11.length - 1), fc.string({ maxLength: 2 }))
      .map(([at, text]) => fair.bolt11.slice(0, at) + text + fair.bolt11.slice(at + 1))
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), near), bolt11 => {
        const verdict = checkQuote({ ...terms, bolt11 })
        if (verdict.ok) expect(verdict.order.bolt11).toBe(fair.bolt11)
        else expect(['bad-invoice', 'no-invoice']).toContain(verdict.rule)
      }),
      { numRuns: runs },
    )
  })
})

const plain: Bill = {
  ...{ made: fair, garbage: false, quotedJob: job, isOurs: true, quotedBy: node, chosen: node, msats: 20_000n },
  ...{ terms: undefined, wished: undefined, wallet: true, nodeKey: undefined, announced: undefined, bid: undefined },
  ...{ cap: 50_000n, caps: { hour: undefined, day: undefined, peer: undefined }, orders: [], later: 0, seen: false },
  ...{
    spent: { job: 0n, hour: 0n, day: 0n, peer: 0n },
    nodeKeys: undefined,
    descriptionHash: undefined,
    hash: undefined,
  },
}
