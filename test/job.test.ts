/** The reducer by itself: any facts in any order, and the few rules that every order must keep. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openClientJob } from '../src/job/client-side.ts'
import { openNodeJob } from '../src/job/node-side.ts'
import type { ClientAct, ClientFact, ClientJob, NodeAct, NodeFact, NodeJob } from '../src/job.ts'
import { isEnd, step, wakeAt } from '../src/job.ts'

const why = { code: 'x', says: 'x' }
const answer = { text: 'a', model: 'm', promptTokens: 1, outputTokens: 1 }
const hash = fc.constantFrom('h1', 'h2')
const msats = fc.constantFrom(0n, 1n, 5n, 9n)
const now = fc.integer({ min: 0, max: 400 })
const by = fc.constantFrom('N', 'E')

const nodeFact: fc.Arbitrary<NodeFact> = fc.oneof(
  hash.map(h => ({ fact: 'billed', bill: { bolt11: h, hash: h, msats: 5n, expiresAt: 60 } }) as const),
  fc.record({ hash, msats, preimage: fc.constant('p') }).map(paid => ({ fact: 'paid', paid }) as const),
  fc.constantFrom<NodeFact>(
    { fact: 'bill-failed', why },
    { fact: 'unpaid' },
    { fact: 'displaced' },
    { fact: 'chunk', text: 't' },
    { fact: 'result', answer },
    { fact: 'fault', why },
    { fact: 'cancel' },
    { fact: 'again' },
  ),
  now.map(t => ({ fact: 'time', now: t }) as const),
  now.map(t => ({ fact: 'restart', now: t }) as const),
)

const clientFact: fc.Arbitrary<ClientFact> = fc.oneof(
  fc.record({ by, bolt11: hash, msats }).map(quote => ({ fact: 'quote', quote }) as const),
  by.map(b => ({ fact: 'processing', by: b }) as const),
  by.map(b => ({ fact: 'chunk', by: b, seq: 0, text: 't' }) as const),
  fc.record({ by, answer: fc.constant(answer) }).map(r => ({ fact: 'result', ...r }) as const),
  fc
    .record({ by, answer: fc.constant(answer), bill: fc.record({ bolt11: hash, msats }) })
    .map(r => ({ fact: 'result', ...r }) as const),
  by.map(b => ({ fact: 'error', by: b, why }) as const),
  hash.map(h => ({ fact: 'cleared', order: { bolt11: h, hash: h, msats: 5n, expiresAt: 60 } }) as const),
  fc.constantFrom<ClientFact>(
    { fact: 'unpublished', why },
    { fact: 'barred', why },
    { fact: 'paid', preimage: 'p', feeMsats: 0n },
    { fact: 'unproven', why },
    { fact: 'pay-failed', why },
    { fact: 'pay-unknown', now: 0 },
    { fact: 'cancel' },
  ),
  now.map(t => ({ fact: 'unsent', now: t }) as const),
  now.map(t => ({ fact: 'time', now: t }) as const),
  now.map(t => ({ fact: 'restart', now: t }) as const),
)

describe('the node side', () => {
  test('any facts: ends are final, work begins only when free, on credit or paid, and money is counted once', () => {
    fc.assert(
      fc.property(fc.constantFrom('free', 'before', 'after'), fc.array(nodeFact, { maxLength: 25 }), (when, facts) => {
        let [job, acts] = openNodeJob({
          id: 'j',
          customer: 'c',
          msats: when === 'free' ? 0n : 5n,
          when,
          now: 0,
          ttlSeconds: 100,
        })
        for (const fact of facts) {
          const before: NodeJob = job
          const [next, more]: readonly [NodeJob, readonly NodeAct[]] = step(before, fact)
          if (isEnd(before.state)) expect(next.state).toBe(before.state)
          if (isEnd(before.state))
            for (const act of more) expect(['credit', 'repeat', 'say', 'watch', 'release']).toContain(act.act)
          for (const act of more)
            if (act.act === 'run') expect(job.when !== 'before' || next.paid !== undefined).toBe(true)
          expect(next.creditMsats >= before.creditMsats).toBe(true)
          job = next
          acts = more
        }
        expect(acts).toBeDefined()
        if (isEnd(job.state)) expect(wakeAt(job)).toBeUndefined()
      }),
      { numRuns: 3000 },
    )
  })

  test('a refused request costs one error and nothing else', () => {
    const [job, acts] = openNodeJob({
      id: 'j',
      customer: 'c',
      msats: 5n,
      when: 'before',
      now: 0,
      ttlSeconds: 9,
      refusal: why,
    })
    expect(job.state).toBe('refused')
    expect(acts).toEqual([{ act: 'say', status: 'error', why }])
  })

  test('over-payment runs the job and the surplus is credit; a second notice of it is nothing', () => {
    const bill = { bolt11: 'b', hash: 'h', msats: 5n, expiresAt: 60 }
    let [job] = openNodeJob({ id: 'j', customer: 'c', msats: 5n, when: 'before', now: 0, ttlSeconds: 100 })
    ;[job] = step(job, { fact: 'billed', bill })
    const paid = { hash: 'h', msats: 7n, preimage: 'p' }
    const [running, acts] = step(job, { fact: 'paid', paid })
    expect(running).toMatchObject({ state: 'running', creditMsats: 2n })
    expect(acts.map(a => a.act)).toEqual(['receipt', 'credit', 'say', 'run'])
    expect(step(running, { fact: 'paid', paid })).toEqual([running, []])
  })

  test('short money never starts the work and is credit', () => {
    const bill = { bolt11: 'b', hash: 'h', msats: 5n, expiresAt: 60 }
    let [job] = openNodeJob({ id: 'j', customer: 'c', msats: 5n, when: 'before', now: 0, ttlSeconds: 100 })
    ;[job] = step(job, { fact: 'billed', bill })
    const [next, acts] = step(job, { fact: 'paid', paid: { hash: 'h', msats: 4n, preimage: 'p' } })
    expect(next).toMatchObject({ state: 'awaiting-payment', creditMsats: 4n })
    expect(acts.map(a => a.act)).toEqual(['credit'])
  })
})

describe('the client side', () => {
  test('any facts: one invoice at most, never another node than the chosen one, ends are final', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(clientFact, { maxLength: 25 }), (open, facts) => {
        const ask = { id: 'j', capMsats: 9n, now: 0, ttlSeconds: 100 }
        let [job] = openClientJob(open ? ask : { ...ask, node: 'N' })
        const paid = new Set<string>()
        for (const fact of facts) {
          const before: ClientJob = job
          const [next, acts]: readonly [ClientJob, readonly ClientAct[]] = step(before, fact)
          for (const act of acts) {
            if (act.act === 'pay') paid.add(act.order.hash)
            if (act.act === 'clear' && !open) expect(act.quote.by).toBe('N')
          }
          if (isEnd(before.state)) expect([next, acts]).toEqual([before, []])
          job = next
        }
        expect(paid.size).toBeLessThanOrEqual(1)
        if (isEnd(job.state)) expect(job.pay === 'sent' || job.pay === 'unknown').toBe(false)
      }),
      { numRuns: 3000 },
    )
  })

  test('an answer that comes before the wallet has spoken is shown, and the job waits for the wallet', () => {
    let [job] = openClientJob({ id: 'j', node: 'N', capMsats: 9n, now: 0, ttlSeconds: 100 })
    ;[job] = step(job, { fact: 'quote', quote: { by: 'N', bolt11: 'b', msats: 5n } })
    ;[job] = step(job, { fact: 'cleared', order: { bolt11: 'b', hash: 'h', msats: 5n, expiresAt: 60 } })
    const [shown, acts] = step(job, { fact: 'result', by: 'N', answer })
    expect(shown.state).toBe('awaiting-payment')
    expect(acts.map(a => a.act)).toEqual(['show-answer'])
    expect(step(shown, { fact: 'paid', preimage: 'p', feeMsats: 1n })[0]).toMatchObject({
      state: 'delivered',
      feeMsats: 1n,
    })
  })

  test('an open job bars a bad quote and takes the next one', () => {
    let [job] = openClientJob({ id: 'j', capMsats: 9n, now: 0, ttlSeconds: 100 })
    ;[job] = step(job, { fact: 'quote', quote: { by: 'E' } })
    ;[job] = step(job, { fact: 'barred', why })
    expect(job).toMatchObject({ state: 'asked', barred: ['E'] })
    expect(step(job, { fact: 'quote', quote: { by: 'E' } })[1]).toEqual([])
    expect(step(job, { fact: 'quote', quote: { by: 'N' } })[0]).toMatchObject({ state: 'quoted', node: 'N' })
  })
})
