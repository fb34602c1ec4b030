/** The paid job whose price is an upper bound: what was paid is its cost and the customer's credit, in any order of facts. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openClientJob } from '../src/job/client-side.ts'
import { partMsats } from '../src/job/cost.ts'
import { openNodeJob } from '../src/job/node-side.ts'
import type { Answer, ClientFact, ClientJob, NodeAct, NodeFact, NodeJob, When } from '../src/job.ts'
import { isEnd, step } from '../src/job.ts'

const why = { code: 'x', says: 'x' }
const answer: Answer = { text: 'a', model: 'm', promptTokens: 1, outputTokens: 1 }
const money = fc.oneof(fc.bigInt(0n, 9n), fc.bigInt(0n, 10n ** 12n))
const creditsIn = (acts: readonly NodeAct[]) => acts.flatMap(act => (act.act === 'credit' ? [act] : []))

/** Plays a job that is paid in time to its answer; gives the acts of all steps, and what was billed and paid. */
function play(when: When, ask: { msats: bigint; parts?: number; from?: number; done?: number }, costMsats: bigint) {
  const { done = ask.parts ?? 1, ...rest } = ask
  let [job, acts] = openNodeJob({ id: 'j', customer: 'c', when, ...rest, soFar: answer, now: 0, ttlSeconds: 100 })
  const all: NodeAct[] = [...acts]
  let paid = 0n
  let bills = 0
  const tell = (fact: NodeFact) => {
    ;[job, acts] = step(job, fact)
    all.push(...acts)
  }
  const pay = () => {
    const asked = all.findLast(act => act.act === 'bill')
    if (asked?.act !== 'bill') return
    bills++
    const hash = `h${bills}`
    tell({ fact: 'billed', bill: { bolt11: hash, hash, msats: asked.msats, expiresAt: 60 } })
    if (when === 'hold' || when === 'escrow') return tell({ fact: 'held', hash })
    paid += asked.msats
    tell({ fact: 'paid', paid: { hash, msats: asked.msats, preimage: 'p' } })
  }
  if (when === 'credit' && job.state === 'quoted') {
    paid = job.msats
    tell({ fact: 'spent' })
  }
  for (let part = job.part; job.state === 'quoted' && part <= done; part++) {
    pay()
    if (part < done) tell({ fact: 'part-done', answer })
  }
  tell({ fact: 'result', answer, costMsats })
  if (job.state === 'owed') pay()
  if (job.state === 'settling' && job.bill) {
    paid = job.bill.msats
    tell({ fact: 'paid', paid: { hash: job.bill.hash, msats: paid, preimage: 'p' } })
  }
  return { job, all, paid }
}

describe('what was paid is cost and credit', () => {
  const terms = fc.constantFrom<When>('before', 'after', 'hold', 'escrow', 'credit', 'parts', 'free')

  test('on all terms, for any price and any cost that a runner may tell', () => {
    const scene = fc.record({
      when: terms,
      msats: money,
      costMsats: fc.oneof(money, fc.bigInt(-5n, 5n)),
      parts: fc.integer({ min: 2, max: 9 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    fc.assert(
      fc.property(scene, ({ when, msats, costMsats, parts, share }) => {
        const most = Math.max(1, Math.min(parts, Number(msats)))
        const done = when === 'parts' ? 1 + Math.floor(share * (most - 1)) : 1
        const { job, all, paid } = play(when, when === 'parts' ? { msats, parts, done } : { msats }, costMsats)
        expect(job.state).toBe('delivered')
        const credits = creditsIn(all)
        const credited = credits.reduce((sum, act) => sum + act.msats, 0n)
        if (msats === 0n || when === 'free') {
          expect([credited, job.costMsats]).toEqual([0n, undefined])
          return
        }
        const cost = job.costMsats ?? -1n
        expect(cost >= 0n && cost <= msats).toBe(true)
        expect(paid <= msats).toBe(true)
        expect(paid).toBe(cost + credited)
        expect(job.creditMsats).toBe(credited)
        if (costMsats >= 0n && costMsats <= paid) expect(cost).toBe(costMsats)
        expect(credits.length).toBeLessThanOrEqual(1)
        const said = all.findLast(act => act.act === 'deliver')
        expect(said?.act === 'deliver' ? (said.creditMsats ?? 0n) : -1n).toBe(credited)
      }),
      { numRuns: 3_000 },
    )
  })

  test('an answer whose beginning was bought elsewhere costs here what the beginning did not', () => {
    const part = (n: number) => partMsats({ msats: 10n, parts: 4 }, n)
    const ask = { msats: 10n, parts: 4, from: 1 }
    const { job, paid } = play('parts', ask, 9n)
    expect(paid).toBe(part(2) + part(3) + part(4))
    expect([job.costMsats, job.creditMsats]).toEqual([9n - part(1), 1n])
    expect(play('parts', ask, 2n).job.costMsats).toBe(0n)
  })

  test('after the work the bill is the cost, also when it is made again, and nothing is billed for nothing', () => {
    let [job] = openNodeJob({ id: 'j', customer: 'c', msats: 9n, when: 'after', now: 0, ttlSeconds: 100 })
    const [owed, acts] = step(job, { fact: 'result', answer, costMsats: 4n })
    expect(acts).toEqual([{ act: 'bill', msats: 4n, part: 1 }])
    expect(step(owed, { fact: 'restart', now: 1 })[1]).toEqual([{ act: 'bill', msats: 4n, part: 1 }])
    ;[job] = step(job, { fact: 'result', answer, costMsats: 0n })
    expect(job.state).toBe('delivered')
  })

  test('held money that is not taken leaves no credit', () => {
    let [job] = openNodeJob({ id: 'j', customer: 'c', msats: 9n, when: 'hold', now: 0, ttlSeconds: 100 })
    const seen: NodeAct[] = []
    const bill = { bolt11: 'b', hash: 'h', msats: 9n, expiresAt: 60 }
    const facts: NodeFact[] = [
      { fact: 'billed', bill },
      { fact: 'held', hash: 'h' },
      { fact: 'result', answer, costMsats: 4n },
      { fact: 'restart', now: 1 },
      { fact: 'unsettled', why },
    ]
    for (const fact of facts) {
      const [next, acts] = step(job, fact)
      job = next
      seen.push(...acts)
    }
    expect(job).toMatchObject({ state: 'failed', creditMsats: 0n })
    expect(creditsIn(seen)).toEqual([])
    // Both times the answer says what will be kept once its money is taken.
    const said = seen.flatMap(act => (act.act === 'deliver' ? [act.creditMsats] : []))
    expect(said).toEqual([5n, 5n])
  })

  test('work that is withdrawn costs what was made of it; before it begins, and while money is held, it is as ever', () => {
    let [job] = openNodeJob({ id: 'j', customer: 'c', msats: 9n, when: 'before', now: 0, ttlSeconds: 100 })
    const bill = { bolt11: 'b', hash: 'h', msats: 9n, expiresAt: 60 }
    ;[job] = step(job, { fact: 'billed', bill })
    expect(step(job, { fact: 'cancel', costMsats: 3n })[1]).toEqual([])
    ;[job] = step(job, { fact: 'paid', paid: { hash: 'h', msats: 9n, preimage: 'p' } })
    const [gone, acts] = step(job, { fact: 'cancel', costMsats: 3n })
    expect(gone).toMatchObject({ state: 'cancelled', costMsats: 3n, creditMsats: 6n })
    expect(acts.map(({ act }) => act)).toEqual(['stop', 'credit', 'say'])
    expect(step(gone, { fact: 'cancel', costMsats: 1n })).toEqual([gone, []])
    expect(step(job, { fact: 'cancel' })[1].map(({ act }) => act)).toEqual(['stop'])
  })
})

describe('in any order of facts', () => {
  const hash = fc.constantFrom('h1', 'h2')
  const cost = fc.bigInt(-2n, 12n)
  const fact: fc.Arbitrary<NodeFact> = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ fact: fc.constant('result' as const), answer: fc.constant(answer), costMsats: cost }),
    },
    fc.record({ fact: fc.constant('part-done' as const), answer: fc.constant(answer) }),
    fc.record({ fact: fc.constant('cancel' as const), costMsats: cost }),
    fc.record({ fact: fc.constant('held' as const), hash }),
    {
      weight: 2,
      arbitrary: hash.map(h => ({ fact: 'billed', bill: { bolt11: h, hash: h, msats: 8n, expiresAt: 60 } }) as const),
    },
    { weight: 2, arbitrary: hash.map(h => ({ fact: 'paid', paid: { hash: h, msats: 8n, preimage: 'p' } }) as const) },
    fc.constantFrom<NodeFact>(
      ...[{ fact: 'unpaid' } as const, { fact: 'fault', why } as const, { fact: 'spent' } as const],
      ...[{ fact: 'unsettled', why } as const, { fact: 'verdict', release: true } as const],
      ...[{ fact: 'restart', now: 5 } as const, { fact: 'time', now: 90 } as const],
    ),
  )
  const terms = fc.constantFrom<When>('before', 'after', 'parts', 'hold', 'escrow', 'credit')

  test('credit is what the acts say, each movement once, and never more than came', () => {
    fc.assert(
      fc.property(terms, fc.array(fact, { maxLength: 25 }), (when, facts) => {
        let [job] = openNodeJob({
          ...{ id: 'j', customer: 'c', msats: when === 'parts' ? 16n : 8n, when, parts: 2, now: 0, ttlSeconds: 100 },
        })
        const credits = new Map<string, bigint>()
        const came = new Set<string>()
        const billed = new Set<string>()
        let spent = 0n
        let unused = 0
        for (const one of facts) {
          const before: NodeJob = job
          // Nobody pays a bill that was not made.
          if (one.fact === 'billed') billed.add(one.bill.hash)
          if (one.fact === 'paid' && !billed.has(one.paid.hash)) continue
          const [next, acts] = step(before, one)
          if (one.fact === 'paid') came.add(one.paid.hash)
          if (one.fact === 'spent' && before.state === 'quoted' && next.state === 'running') spent = job.msats
          for (const { id, msats } of creditsIn(acts)) {
            expect(msats > 0n).toBe(true)
            // A hash that bought nothing may be told again; the journal counts its row once.
            if (!credits.has(id)) credits.set(id, msats)
            if (id === 'unused:j') unused++
          }
          if (isEnd(before.state)) expect(next.costMsats).toBe(before.costMsats)
          job = next
        }
        const sum = [...credits.values()].reduce((all, msats) => all + msats, 0n)
        expect(unused).toBeLessThanOrEqual(1)
        expect(sum <= BigInt(came.size) * 8n + spent).toBe(true)
        if (job.costMsats !== undefined) expect(job.costMsats >= 0n && job.costMsats <= job.msats).toBe(true)
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('the customer', () => {
  const told = (creditMsats: bigint): ClientFact => ({ fact: 'result', by: 'N', answer, creditMsats })
  const order = { bolt11: 'b', hash: 'h', msats: 5n, expiresAt: 60 }
  const paid: ClientFact = { fact: 'paid', preimage: 'p', feeMsats: 1n }
  const failed: ClientFact = { fact: 'pay-failed', why }
  function heard(...facts: readonly ClientFact[]): ClientJob {
    let [job] = openClientJob({ id: 'j', node: 'N', capMsats: 9n, now: 0, ttlSeconds: 100 })
    const asked: ClientFact[] = [
      { fact: 'quote', quote: { by: 'N', bolt11: 'b', msats: 5n } },
      { fact: 'cleared', order },
    ]
    for (const fact of [...asked, ...facts]) [job] = step(job, fact)
    return job
  }

  test('counts what a node keeps with an answer, up to what it paid, before and after its wallet has spoken', () => {
    expect(heard(paid, told(2n))).toMatchObject({ state: 'delivered', creditMsats: 2n })
    expect(heard(told(2n), paid)).toMatchObject({ state: 'delivered', creditMsats: 2n })
    expect(heard(paid, told(1_000n)).creditMsats).toBe(5n)
    expect(heard(paid, told(0n)).creditMsats).toBeUndefined()
  })

  test('of money that never left nothing is kept', () => {
    expect(heard(told(2n), failed)).toMatchObject({ state: 'delivered' })
    expect(heard(told(2n), failed).creditMsats).toBeUndefined()
    const sealed = { content: 'c', hash: 'h', digest: 'd' }
    const held: ClientFact = { fact: 'result', by: 'N', answer: { ...answer, text: '' }, sealed, creditMsats: 3n }
    expect(heard(held, failed).creditMsats).toBeUndefined()
    expect(heard(held, paid, { fact: 'opened', text: 'a' })).toMatchObject({ state: 'delivered', creditMsats: 3n })
    let [free] = openClientJob({ id: 'j', node: 'N', capMsats: 9n, now: 0, ttlSeconds: 100 })
    ;[free] = step(free, told(7n))
    expect([free.state, free.creditMsats]).toEqual(['delivered', undefined])
  })

  test('what an earlier part cost counts as paid', () => {
    let [job] = openClientJob({ id: 'j', node: 'N', capMsats: 9n, parts: 2, now: 0, ttlSeconds: 100 })
    const bill = (part: number, bolt11: string): ClientFact => ({
      fact: 'quote',
      quote: { by: 'N', bolt11, msats: 3n, terms: { word: 'parts', part, parts: 2 } },
    })
    const pays = (hash: string): ClientFact[] => [{ fact: 'cleared', order: { ...order, hash, msats: 3n } }, paid]
    for (const fact of [bill(1, 'a'), ...pays('a'), bill(2, 'b'), ...pays('b'), told(99n)]) [job] = step(job, fact)
    expect(job).toMatchObject({ state: 'delivered', creditMsats: 6n })
  })
})
