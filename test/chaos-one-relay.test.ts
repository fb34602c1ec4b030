/** Every event kind of a paid job meets every fault, where there is no other relay to help. */
import { describe, expect, test } from 'vitest'
import { playAndCompare, seed } from './chaos/compare.ts'
import { FAULTS } from './chaos/faults.ts'
import { KINDS } from './chaos/matrix.ts'
import { playPaidJob, STORIES } from './chaos/paid-job.ts'
import { RAILS } from './chaos/rails.ts'
import { judge } from './chaos/verdict.ts'
import { keeps } from './promises.ts'

test('in fair weather every story ends well and breaks nothing', async () => {
  const words = {
    buy: 'ok',
    parts: 'ok',
    after: 'ok',
    hold: 'ok',
    refund: 'refunded',
    cancel: 'cancelled',
    tokens: 'ok',
  } as const
  for (const rail of RAILS)
    for (const story of STORIES) {
      const played = await playPaidJob({ relays: [[]], seed, rail, story })
      expect([story, judge(played)]).toEqual([story, { broken: [], word: words[story] }])
    }
})

test('a job that nobody paid for is let go of when late money is waited for no more', async () => {
  // Every one of them: a single lost bill is asked for again.
  const lost = { fault: 'drop', kind: 7000, way: 'up', nth: 0 } as const
  const played = await playPaidJob({ relays: [[lost]], seed, patient: true })
  expect(judge(played)).toEqual({ broken: [], word: 'expired' })
  expect(played.clockSeconds).toBeGreaterThan(3_600)
})

describe('one relay, and it is faulty', () => {
  keeps(
    'relay.hostile',
    'whatever it does to one event, nothing is paid twice, lost, worked for free or left open',
    async () => {
      const runs = await playAndCompare({ relays: [1], events: 'some' })
      expect(new Set(runs.map(({ kind, fault }) => `${kind} ${fault}`)).size).toBe(KINDS.length * FAULTS.length)
      // An honest end has a name, also where there is no answer.
      const words = new Set(runs.filter(({ broken }) => broken.length === 0).map(({ word }) => word))
      expect(
        [...words].filter(
          word => !['ok', 'credit', 'cancelled', 'no-node', 'expired', 'relay', 'unpaid'].includes(word),
        ),
      ).toEqual([])
    },
    300_000,
  )
})
