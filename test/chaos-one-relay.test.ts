/** Every event kind of a paid job meets every fault, where there is no other relay to help. */
import { describe, expect, test } from 'vitest'
import { playAndCompare, seed } from './chaos/compare.ts'
import { FAULTS } from './chaos/faults.ts'
import { KINDS } from './chaos/matrix.ts'
import { playPaidJob } from './chaos/paid-job.ts'
import { judge } from './chaos/verdict.ts'
import { keeps } from './promises.ts'

test('in fair weather a job is paid, answered, and breaks nothing', async () => {
  for (const rail of ['sim', 'ldk'] as const) {
    const played = await playPaidJob({ relays: [[]], seed, rail })
    expect(judge(played)).toEqual({ broken: [], word: 'ok' })
    expect(played.sent).toMatchObject([{ state: 'settled', msats: 2_000n }])
  }
  expect(judge(await playPaidJob({ relays: [[]], seed, story: 'cancel' }))).toEqual({ broken: [], word: 'cancelled' })
})

describe('one relay, and it is faulty', () => {
  keeps(
    'relay.hostile',
    'whatever it does to one event, nothing is paid twice, lost, worked for free or left open',
    async () => {
      const runs = await playAndCompare({ relays: [1] })
      expect(new Set(runs.map(({ kind, fault }) => `${kind} ${fault}`)).size).toBe(KINDS.length * FAULTS.length)
      // An honest end has a name, also where there is no answer.
      const words = new Set(runs.filter(({ broken }) => broken.length === 0).map(({ word }) => word))
      expect(
        [...words].filter(
          word => !['ok', 'credit', 'cancelled', 'no-node', 'expired', 'relay', 'unpaid'].includes(word),
        ),
      ).toEqual([])
    },
    120_000,
  )
})
