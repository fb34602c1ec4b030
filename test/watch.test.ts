import { expect, test } from 'vitest'
import { handClock } from '../src/clock.ts'
import { sha256Hex } from '../src/payments/hash.ts'
import type { BillState } from '../src/payments/payment.ts'
import { watchBill } from '../src/payments/watch.ts'

const settled: BillState = { state: 'settled', msats: 1n, preimage: sha256Hex('x'), at: 1_800_000_000 }

/** A wallet whose every answer is given by hand. */
function wallet() {
  const clock = handClock()
  const answers: { resolve(state: BillState): void; reject(error: Error): void }[] = []
  const heard: unknown[] = []
  let look = () => {}
  let listening = true
  const stop = watchBill({
    clock,
    pollMs: 1_000,
    ask: () => new Promise((resolve, reject) => answers.push({ resolve, reject })),
    listen: each => {
      look = each
      return () => {
        listening = false
      }
    },
    onSettled: state => heard.push(state),
  })
  const flush = () => clock.advance(0)
  return { clock, answers, heard, stop, flush, notify: () => look(), isListening: () => listening }
}

test('many notifications and one settlement are one call', async () => {
  const { answers, heard, notify, flush, clock, isListening } = wallet()
  notify()
  notify()
  answers[0]?.resolve(settled)
  await flush()
  notify()
  await clock.advance(10_000)
  expect(heard).toEqual([settled])
  expect(answers.length).toBe(1)
  expect([clock.waiting, isListening()]).toEqual([0, false])
})

test('an answer that comes after the stop is not told', async () => {
  const { answers, heard, stop, flush, clock } = wallet()
  stop()
  answers[0]?.resolve(settled)
  await flush()
  await clock.advance(10_000)
  expect(heard).toEqual([])
  expect(answers.length).toBe(1)
})

test('a notification during a question asks again, because the answer may be older', async () => {
  const { answers, heard, notify, flush } = wallet()
  notify()
  answers[0]?.resolve({ state: 'pending' })
  await flush()
  expect(answers.length).toBe(2)
  answers[1]?.resolve(settled)
  await flush()
  expect(heard).toEqual([settled])
})

test('one question at a time, and an error is a reason to ask again', async () => {
  const { answers, heard, clock } = wallet()
  await clock.advance(60_000)
  expect(answers.length).toBe(1)
  answers[0]?.reject(new Error('offline'))
  await clock.advance(1_000)
  expect(answers.length).toBe(2)
  answers[1]?.resolve(settled)
  await clock.advance(0)
  expect(heard.length).toBe(1)
})

test('a bill that expired may still be settled for an hour', async () => {
  const { answers, heard, clock } = wallet()
  answers[0]?.resolve({ state: 'expired' })
  for (let i = 1; i <= 3_600; i++) {
    await clock.advance(1_000)
    if (i < 3_600) answers[i]?.resolve({ state: 'expired' })
  }
  answers[3_600]?.resolve(settled)
  await clock.advance(0)
  expect(heard.length).toBe(1)
})
