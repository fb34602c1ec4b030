/** Faults where money moves otherwise: in parts, after the work, held until it opens the answer, and back to the customer. */
import { describe, expect } from 'vitest'
import { playAndCompare } from './chaos/compare.ts'
import { keeps } from './promises.ts'

const kinds = [23194, 23195, 7000, 6050]

describe('one relay, and it is faulty', () => {
  keeps(
    'pay.once',
    'a price in two parts is paid part by part, and what was not delivered is not lost',
    async () => void (await playAndCompare({ story: 'parts', relays: [1], kinds, events: 'one' })),
    300_000,
  )
  keeps(
    'work.paid',
    'work on credit is paid, or the customer is known to owe it',
    async () => void (await playAndCompare({ story: 'after', relays: [1], kinds, events: 'one' })),
    300_000,
  )
  keeps(
    'pay.once',
    'held money is taken for an answer that it opens, or comes back',
    async () => void (await playAndCompare({ story: 'hold', relays: [1], kinds, events: 'one' })),
    300_000,
  )
  keeps(
    'job.late-money',
    'what was paid by the token and not used goes back once, or is kept for the customer',
    async () => {
      const runs = await playAndCompare({ story: 'tokens', relays: [1], kinds: [21059, ...kinds], events: 'one' })
      expect(runs.some(({ word }) => word === 'ok')).toBe(true)
    },
    300_000,
  )
  keeps(
    'job.late-money',
    'money of a job that failed goes back once, or is kept for the customer',
    async () => {
      const runs = await playAndCompare({ story: 'refund', relays: [1], kinds: [21059, ...kinds], events: 'one' })
      expect(runs.filter(({ word }) => !['refunded', 'credit', 'unpaid'].includes(word))).toEqual([])
    },
    300_000,
  )
})
