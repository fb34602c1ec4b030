/** A payment that turns out to have gone through after the customer's time was over: what it brings is still heard. */
import { expect, test } from 'vitest'
import { openClientJob } from '../src/job/client-side.ts'
import { type ClientFact, type ClientJob, graceSeconds, isEnd, step, wakeAt } from '../src/job.ts'
import { keeps } from './promises.ts'

const node = 'a'.repeat(64)
const order = { bolt11: 'lnbcrt1', hash: 'h', msats: 1_000n, expiresAt: 400 }
const paid: ClientFact = { fact: 'paid', preimage: 'p', feeMsats: 0n }

function after(...facts: readonly ClientFact[]): ClientJob {
  let [job] = openClientJob({ id: 'j', node, capMsats: 1_000n, now: 0, ttlSeconds: 100 })
  const asked: ClientFact[] = [
    { fact: 'quote', quote: { by: node, msats: 1_000n, bolt11: order.bolt11 } },
    { fact: 'cleared', order },
    { fact: 'pay-unknown', now: 50 },
  ]
  for (const fact of [...asked, ...facts]) [job] = step(job, fact)
  return job
}
const late: ClientFact[] = [
  { fact: 'time', now: 100 },
  { fact: 'time', now: 390 },
]

keeps('job.late-money', 'a customer that paid after its time was over hears the answer', () => {
  const answer = { text: 'here', model: 'm', promptTokens: 1, outputTokens: 1 }
  const waiting = after(...late, paid)
  expect(waiting).toMatchObject({ state: 'running', pay: 'paid' })
  expect(step(waiting, { fact: 'result', by: node, answer, bill: {} })[0]).toMatchObject({ state: 'delivered', answer })
})

keeps('job.late-money', 'and learns what the node keeps of it', () => {
  const why = { code: 'credit', says: 'kept' }
  const told: ClientFact = { fact: 'error', by: node, why, creditMsats: 1_000n }
  for (const facts of [
    [paid, told],
    [told, paid],
  ]) {
    const job = after(...late, ...facts)
    expect([isEnd(job.state), job.creditMsats]).toEqual([true, 1_000n])
  }
})

test('nobody waits for ever: the wait ends after its grace, and a payment that failed ends it at once', () => {
  const waiting = after(...late, paid)
  expect(waiting.deadline).toBe(390 + graceSeconds)
  expect(wakeAt(waiting)).toBeLessThanOrEqual(390 + graceSeconds)
  expect(step(waiting, { fact: 'time', now: 390 + graceSeconds })[0].state).toBe('expired')
  expect(after(...late, { fact: 'pay-failed', why: { code: 'x', says: 'x' } }).state).toBe('expired')
})
