/**
 * A disk that fills up at any write of a paid job, on either side: money that moved while nothing could be written is found
 * again when there is room.
 */
import { describe, expect } from 'vitest'
import { seed } from './chaos/compare.ts'
import { type PaidJobOptions, playPaidJob } from './chaos/paid-job.ts'
import { judge } from './chaos/verdict.ts'
import { keeps } from './promises.ts'

/** How a job ends for each write that fails. */
async function ends(side: 'node' | 'client', options: Partial<PaidJobOptions> = {}) {
  const { writes } = await playPaidJob({ relays: [[]], seed, ...options })
  const found: { write: number; word: string; broken: readonly string[] }[] = []
  for (let write = 1; write <= writes[side]; write++)
    found.push({ write, ...judge(await playPaidJob({ relays: [[]], seed, ...options, disk: { side, write } })) })
  expect(found.length).toBeGreaterThan(5)
  expect(found.filter(({ broken }) => broken.length > 0)).toEqual([])
  return found.map(({ word }) => word)
}

describe('a full disk', () => {
  keeps(
    'pay.once',
    'of the customer: nothing is ordered that was not written, and what was paid is answered after a new start',
    async () => {
      const words = await ends('client')
      // The first write is the job itself: without it nothing is asked.
      expect(words.slice(0, 1)).toEqual(['disk'])
      expect(words.filter(word => !['disk', 'unpaid', 'ok'].includes(word))).toEqual([])
      expect(words.filter(word => word === 'ok').length).toBeGreaterThan(4)
    },
    300_000,
  )

  keeps(
    'job.ends',
    'of the node: every job that was accepted is answered after a new start, and paid once',
    async () => {
      const words = await ends('node')
      expect(words.filter(word => word !== 'ok')).toEqual([])
    },
    300_000,
  )

  keeps(
    'job.late-money',
    'of the node while it pays money back: it is paid back once, or kept',
    async () => {
      const words = await ends('node', { story: 'refund' })
      expect(words.filter(word => !['refunded', 'credit'].includes(word))).toEqual([])
    },
    300_000,
  )
})
